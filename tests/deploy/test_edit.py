import json

import mxnet as mx
import numpy as np
import pytest
from networks import network

from gluon_attn.data.transforms import normalize
from gluon_attn.deploy import export, graph_edit, int8_exclusions, precision, symbol
from gluon_attn.deploy.graph import trace


def inputs(card, count=4):
    return normalize(export.random_images(card, count), card.mean, card.std)


def operators(graph):
    return [node["op"] for node in json.loads(graph.symbol.tojson())["nodes"]]


def apart(graph, x, expected):
    found = symbol.block(graph)(mx.nd.array(x)).asnumpy()
    return abs(found - expected).max() / abs(expected).max()


@pytest.mark.parametrize(
    ("name", "options", "left"),
    [("cifar_resnet20_v1", {"attention": "se"}, 0), ("cifar_resnet20_v2", {}, 11)],  # of 20, each block's second
)
def test_norms_behind_convolutions_are_folded(name, options, left):
    net, card = network(name, **options)
    x = inputs(card)
    expected = net(mx.nd.array(x)).asnumpy()
    graph = trace(net, card, plain=True)
    before = {key: value.asnumpy() for key, value in graph.args.items()}
    folded = graph_edit.fold_norms(graph)
    assert operators(folded).count("BatchNorm") == left
    assert apart(folded, x, expected) <= 2e-5
    assert all(np.array_equal(value.asnumpy(), before[key]) for key, value in graph.args.items())
    layers = graph_edit.norms_as_layers(folded)
    assert "BatchNorm" not in operators(layers)
    assert not layers.aux
    assert apart(layers, x, expected) <= 2e-5


@pytest.mark.parametrize("twice", [False, True])
def test_a_bias_is_folded_and_a_convolution_that_others_read_is_not(twice):
    card = network("atac_cifar_resnet", blocks=1, act_type="relu")[1].replace(classes=4)
    net = Biased(twice)
    net.initialize(mx.init.Normal(0.5))
    net.conv.bias.set_data(mx.nd.array([1, -2, 3, -4]))
    net.norm.running_mean.set_data(mx.nd.array([0.5, 1, -1, 2]))
    net.norm.running_var.set_data(mx.nd.array([0.5, 1, 2, 3]))
    x = inputs(card)
    expected = net(mx.nd.array(x)).asnumpy()
    folded = graph_edit.fold_norms(trace(net, card))
    assert operators(folded).count("BatchNorm") == int(twice)
    assert apart(folded, x, expected) <= 1e-5


class Biased(mx.gluon.HybridBlock):
    """A convolution with a bias, a norm; twice: the sum of both."""

    def __init__(self, twice):
        super().__init__()
        self.twice = twice
        with self.name_scope():
            self.conv = mx.gluon.nn.Conv2D(4, 3, in_channels=3)
            self.norm = mx.gluon.nn.BatchNorm(in_channels=4)

    def hybrid_forward(self, F, x):
        y = self.conv(x)
        return F.mean(self.norm(y) + y if self.twice else self.norm(y), axis=(2, 3))


def test_halved_weights_are_read_back(tmp_path):
    net, card = network("cifar_resnet20_v1", attention="eca")
    x = inputs(card)
    expected = net(mx.nd.array(x)).asnumpy()
    graph = graph_edit.halve_weights(trace(net, card))
    kinds = {value.dtype for value in graph.args.values() if value.ndim > 1}
    assert kinds == {np.float16}
    path = symbol.write_symbol(graph, tmp_path / "net")
    assert 1e-6 < apart(symbol.read_symbol(path), x, expected) < 1e-2


@pytest.mark.parametrize(
    ("name", "options"),
    [("cifar_resnet20_v1", {"attention": "se"}), ("darts_cifar", {"layers": 3, "channels": 4})],  # this concatenates
)
def test_bfloat16_survives_the_file(tmp_path, name, options):
    net, card = network(name, **options)
    x = inputs(card)
    expected = net(mx.nd.array(x)).asnumpy()
    path = symbol.write_symbol(precision.mixed(trace(net, card)), tmp_path / "net")
    assert "amp_cast" in path.read_text()
    assert 1e-4 < apart(symbol.read_symbol(path), x, expected) < 0.1


def test_the_fastest_way_that_runs(monkeypatch):
    net, card = network("cifar_resnet20_v1")
    graph = trace(net, card)
    x = inputs(card)
    with monkeypatch.context() as patch:
        answers = iter(([9, 9, 2, 3, 2], [1, 1, 1, 2, 1]))
        patch.setattr(precision, "_passes", lambda net, batch: next(answers))
        assert precision.fastest({"slow": graph, "quick": graph}, x) == "quick"
    broken = graph_edit.fold_norms(trace(*network("cifar_resnet20_v2")))
    ways = {"fused": precision.fused(broken), "plain": broken}
    assert precision.fastest(ways, x) == "plain"


def test_what_serves_gates():
    inputs_of = {
        "x": [], "conv": ["x"], "pool": ["conv"], "fc": ["pool"], "sigmoid": ["fc"], "mul": ["conv", "sigmoid"],
        "q": ["mul"], "k": ["mul"], "v": ["mul"], "qk": ["q", "k"], "softmax": ["qk"], "out": ["softmax", "v"],
    }  # fmt: skip
    found = int8_exclusions.serving(inputs_of, {"sigmoid", "softmax"})
    assert found == {"pool", "fc", "sigmoid", "q", "k", "qk", "softmax"}


def test_gates_of_a_fused_symbol_stay_in_float():
    net, card = network("cifar_resnet20_v1", attention="se")
    graph = graph_edit.fold_norms(trace(net, card, plain=True))
    data = inputs(card, 8)
    nodes = json.loads(precision.quantized(graph, data).symbol.tojson())["nodes"]
    names = [node["name"] for node in nodes]
    quantized = [name for name in names if name.startswith("quantized_") and "conv" in name]
    # 9 blocks of 2 convolutions and the stem are int8, both layers of each gate are not
    assert len(quantized) == 9 * 2 + 1 + 2
    weights = [name for name in names if name.endswith("weight_quantize")]
    assert not [name for name in weights if "se" in name.split("_")]


@pytest.mark.slow
def test_entropy_calibration():
    net, card = network("atac_cifar_resnet", blocks=1, act_type="relu")
    x = inputs(card, 16)
    expected = net(mx.nd.array(x)).asnumpy()
    graph = graph_edit.norms_as_layers(graph_edit.fold_norms(trace(net, card, plain=True)))
    assert 1e-4 < apart(precision.quantized(graph, x, "entropy"), x, expected) < 0.3
