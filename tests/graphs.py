"""What tests of graphs need: small ones, inputs, operators, and how far a graph is from the network."""

import json

import mxnet as mx
import numpy as np

from gluon_attn.config.card import Card
from gluon_attn.data.transforms import normalize
from gluon_attn.deploy import predictor, symbol
from gluon_attn.deploy.graph import Graph

#: what int8 costs in a `Drawing` by rounding alone is below 4 %; what MXNet gets wrong by itself, above 8 %
ROUNDING = 0.05


class Drawing:
    """Draws a small graph; its layers are 1x1 convolutions of eight channels."""

    def __init__(self):
        self.args, self.random = {}, np.random.default_rng(0)

    def layer(self, x, channels=8, groups=1):
        name = f"layer{len(self.args) // 2}"
        spread = 0.35 * groups**0.5
        self.args[f"{name}_weight"] = mx.nd.array(self.random.normal(0, spread, (channels, 8 // groups, 1, 1)))
        self.args[f"{name}_bias"] = mx.nd.array(self.random.normal(0, 0.3, channels))
        names = (mx.sym.var(f"{name}_{kind}") for kind in ("weight", "bias"))
        return mx.sym.Convolution(x, *names, kernel=(1, 1), num_filter=channels, num_group=groups, name=name)

    def graph(self, y, last=True):
        return Graph(self.layer(y) if last else y, self.args, {}, Card(input_shape=(8, 16, 16)))


def apart(graph, x, expected):
    """Root of the mean square of the graph's error, relative to the expected values'."""
    found = symbol.block(graph)(x).asnumpy()
    return np.sqrt(((found - expected) ** 2).mean() / (expected**2).mean())


def inputs(card, count=4):
    """N,C,H,W of random images."""
    return normalize(predictor.random_images(card, count), card.mean, card.std)


def operators(graph):
    """Names of the operators of a `deploy.graph.Graph`."""
    return [node["op"] for node in json.loads(graph.symbol.tojson())["nodes"]]


def distance(graph, x, expected):
    """Largest difference of the graph's logits, relative to the largest expected one."""
    found = symbol.block(graph)(mx.nd.array(x)).asnumpy()
    return abs(found - np.asarray(expected)).max() / abs(expected).max()


def training_pass(net, symbol, x):
    """Output, gradients and running statistics of one training pass."""
    data = mx.sym.var("data", dtype=x.dtype)
    block = mx.gluon.SymbolBlock(symbol, [data], params=net.collect_params())
    block.hybridize(static_alloc=True, static_shape=True)
    with mx.autograd.record():
        y = block(x)
    y.backward(mx.nd.cos(mx.nd.arange(y.size)).reshape(y.shape).astype(y.dtype))
    arrays = [p.data() if p.grad_req == "null" else p.grad() for p in net.collect_params().values()]
    return [array.asnumpy() for array in (y, *arrays)]


def convolutions(*rows):
    """Norms between convolutions of (channels, kernel, groups), of 16 channels to begin with."""
    net = mx.gluon.nn.HybridSequential()
    for channels, kernel, groups in rows:
        padding = kernel // 2
        net.add(
            mx.gluon.nn.Conv2D(channels, kernel, padding=padding, groups=groups, use_bias=False),
            mx.gluon.nn.BatchNorm(), mx.gluon.nn.Activation("relu"),
        )  # fmt: skip
    net.initialize(mx.init.Xavier())
    net(mx.nd.zeros((1, 16, 12, 12)))
    return net


def same_numbers(net, plain, symbol, x, within=1e-3):
    """The graphs give the same outputs, gradients and running statistics, to what norms' gradients cancel."""
    before = {name: param.data().copy() for name, param in net.collect_params().items()}
    expected = training_pass(net, plain, x)
    for name, value in before.items():
        net.collect_params()[name].set_data(value)
    for found, wanted in zip(training_pass(net, symbol, x), expected, strict=True):
        assert np.linalg.norm(found - wanted) <= within * np.linalg.norm(wanted)
