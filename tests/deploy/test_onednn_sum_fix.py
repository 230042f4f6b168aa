import json

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.config.card import Card
from gluon_attn.deploy import onednn_sum_fix, precision, symbol
from gluon_attn.deploy.graph import Graph

#: what int8 costs in these graphs by rounding alone is below 4 %; what MXNet gets wrong by itself, above 8 %
ROUNDING = 0.05


class Drawing:
    """Draws a small graph; its layers are 1x1 convolutions of eight channels."""

    def __init__(self):
        self.args, self.random = {}, np.random.default_rng(0)

    def layer(self, x):
        name = f"layer{len(self.args) // 2}"
        self.args[f"{name}_weight"] = mx.nd.array(self.random.normal(0, 0.35, (8, 8, 1, 1)))
        self.args[f"{name}_bias"] = mx.nd.array(self.random.normal(0, 0.3, 8))
        names = (mx.sym.var(f"{name}_{kind}") for kind in ("weight", "bias"))
        return mx.sym.Convolution(x, *names, kernel=(1, 1), num_filter=8, name=name)

    def graph(self, y):
        return Graph(self.layer(y), self.args, {}, Card(input_shape=(8, 16, 16)))


def relu(x):
    return mx.sym.Activation(x, act_type="relu")


def pooled(x):
    return mx.sym.Pooling(x, kernel=(3, 3), pad=(1, 1), pool_type="max")


def gated(x):
    return mx.sym.broadcast_mul(x, mx.sym.sigmoid(mx.sym.mean(x, axis=(2, 3), keepdims=True)))


def unrectified(x, layer):
    state = layer(x)
    return layer(relu(state)) + state


def later(x, layer):
    state = layer(x)
    return state + layer(relu(layer(relu(state))))


def same(x, layer):
    state = relu(layer(x))
    return relu(layer(state) + state)


#: name -> (drawing, whether its sums are fused in float32, in int8); None: it has none that could be
CASES = {
    "signed, then relu": (lambda x, layer: relu(layer(x) + layer(x)), True, False),
    "signed": (lambda x, layer: layer(x) + layer(x), True, True),
    "mixed, then relu": (lambda x, layer: relu(layer(x) + relu(layer(x))), True, True),
    "mixed": (lambda x, layer: layer(x) + relu(layer(x)), True, False),
    "of a block": (same, True, True),
    "gate, then relu": (lambda x, layer: relu(gated(layer(x)) + layer(x)), True, False),
    "two gates": (lambda x, layer: gated(layer(x)) + gated(relu(layer(x))), None, None),
    "unsigned, then relu": (lambda x, layer: relu(relu(layer(x)) + pooled(relu(layer(x)))), None, None),
    "relu of relu": (lambda x, layer: relu(pooled(relu(layer(x)))), None, None),
    "what relu reads": (unrectified, False, False),
    "what relu reads, later": (later, False, False),
}


def drawn(case):
    drawing = Drawing()
    return drawing.graph(CASES[case][0](mx.sym.var("data"), drawing.layer))


def apart(graph, x, expected):
    found = symbol.block(graph)(x).asnumpy()
    return np.sqrt(((found - expected) ** 2).mean() / (expected**2).mean())


@pytest.mark.parametrize("case", CASES)
def test_what_is_fused_is_right(case):
    x = mx.nd.random.normal(shape=(16, 8, 16, 16))
    graph = drawn(case)
    expected = symbol.block(graph)(x).asnumpy()
    assert apart(precision.fuse_for_onednn(graph), x, expected) <= 1e-6
    assert apart(precision.to_int8(graph, x.asnumpy()), x, expected) <= ROUNDING
    for int8, fused in zip((False, True), CASES[case][1:], strict=True):
        found = [
            node["op"] for node in json.loads(onednn_sum_fix.keep_sums_apart(graph, int8).symbol.tojson())["nodes"]
        ]
        assert fused is None or found.count("elemwise_add") == int(fused)


def test_relu_of_what_is_not_negative_goes_for_int8():
    graph = drawn("unsigned, then relu")
    counts = [
        onednn_sum_fix.keep_sums_apart(graph, int8).symbol.tojson().count('"Activation"') for int8 in (False, True)
    ]
    assert counts == [3, 2]
