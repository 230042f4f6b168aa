import json

import mxnet as mx
import pytest
from graphs import ROUNDING, Drawing, apart

from gluon_attn.deploy import onednn_sum_fix, precision, symbol


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
