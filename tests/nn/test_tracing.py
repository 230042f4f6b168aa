"""The switch to plain operators: what is emitted, nesting, threads, errors, hybridized networks."""

import json
import threading

import mxnet as mx
import numpy as np
import pytest
from fast_cases import CASES, Layer, arrays, each_case, trace
from mxnet import nd

from gluon_attn.nn import fast, tracing

SHAPE = (1, 16, 8, 8)
pytestmark = pytest.mark.filterwarnings("ignore:Cannot decide type")


def operators(symbol):
    return [node["op"] for node in json.loads(symbol.tojson())["nodes"] if node["op"] != "null"]


@each_case
def test_plain_operators_emits_the_one_plain_operator(name):
    assert operators(trace(name, plain=True)) == [CASES[name][2]]
    assert operators(trace(name)) != [CASES[name][2]]


def test_plain_operators_nests_and_stays_in_its_thread():
    seen = []
    with fast.plain_operators():
        with fast.plain_operators():
            pass
        seen.append(operators(trace("sigmoid")))
        thread = threading.Thread(target=lambda: seen.append(operators(trace("sigmoid"))))
        thread.start()
        thread.join()
    assert [*seen, operators(trace("sigmoid"))] == [["sigmoid"], ["Activation"], ["Activation"]]


def test_plain_operators_ends_with_an_error():
    with pytest.raises(KeyError), fast.plain_operators():
        raise KeyError
    assert operators(trace("sigmoid")) == ["Activation"]


def test_a_fresh_trace_follows_the_switch_though_the_network_is_hybridized():
    layer = Layer("channel_gate")
    layer.hybridize()
    layer(*map(nd.array, arrays("channel_gate", SHAPE)))
    with fast.plain_operators():
        assert operators(layer(mx.sym.var("x"), mx.sym.var("c"))) == ["broadcast_mul"]


@pytest.mark.parametrize("name", ["global_avg", "global_max"])
def test_graphs_for_inference_pool_by_one_operator(name):
    images, expected = arrays(name, SHAPE), CASES[name][1]
    with tracing.inference_operators():
        found = trace(name), trace(name, plain=True)
        result = Layer(name)(*map(nd.array, images))
    assert [operators(symbol) for symbol in found] == [["Pooling"]] * 2
    assert operators(trace(name)) != ["Pooling"]
    np.testing.assert_allclose(result.asnumpy(), expected(*images), rtol=1e-5, atol=1e-6)
