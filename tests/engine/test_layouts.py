"""Mixed-precision graphs: what computes in which dtype, and that numbers stay within its rounding."""

import json

import mxnet as mx
import numpy as np
import pytest
from graphs import training_pass

import gluon_attn
from gluon_attn.engine.layouts import mixed_precision
from gluon_attn.engine.norm_layouts import copy_after_narrow_norms
from gluon_attn.nn import fast, kernels
from gluon_attn.nn.cell_ops import cell_op


@pytest.mark.skipif(kernels.problem() is not None, reason=f"no compiled operators: {kernels.problem()}")
@pytest.mark.parametrize("attention", ["se", "cbam", "sge", "triplet"])
def test_compiled_operators_stay_in_float32(attention):
    """And what they make of a map goes on in bfloat16, into the addition or the next convolution."""
    net = gluon_attn.get_attention(attention, 16)
    net.initialize(mx.init.Xavier())
    with kernels.compiled_operators():
        mixed = mixed_precision(net(mx.sym.var("data") * 1), "bfloat16")
    nodes = json.loads(mixed.tojson(remove_amp_cast=False))["nodes"]
    operators = [node for node in nodes if node["op"].startswith("gluon_attn_")]
    assert operators
    for node in operators:
        sources = [nodes[number] for number, _, _ in node["inputs"]]
        assert all(s["op"] == "null" or s.get("attrs", {}).get("dtype") == "float32" for s in sources)
    before, last = nodes[-2:]  # MXNet puts a cast of its own at the end
    assert [before["op"], last["op"]] == ["amp_cast", "amp_cast"]
    assert before["attrs"]["dtype"] == "bfloat16"


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.skipif(not kernels.take_bfloat16(), reason="no compiled operators in bfloat16")
def test_the_sigmoid_gate_computes_in_bfloat16_where_it_can(monkeypatch, taken):
    monkeypatch.setattr(kernels, "take_bfloat16", lambda: taken)
    net = gluon_attn.get_attention("cha_atac", 16)
    net.initialize(mx.init.Xavier())
    with kernels.compiled_operators():
        mixed = mixed_precision(net(mx.sym.var("data") * 1), "bfloat16", training=True)
    nodes = json.loads(mixed.tojson(remove_amp_cast=False))["nodes"]
    (node,) = (node for node in nodes if node["op"] == "gluon_attn_sigmoid_gate")
    sources = [nodes[number] for number, _, _ in node["inputs"]]
    assert (sources[0]["op"] == "gluon_attn_fork") == taken  # what computes the logits reads the other copy
    if taken:
        sources[0] = nodes[sources[0]["inputs"][0][0]]
    casts = [source.get("attrs", {}).get("dtype") for source in sources]
    assert casts == (["bfloat16", None] if taken else ["float32", "float32"])
    assert nodes[-2 if taken else -3] is node  # MXNet puts a cast of its own at the end


@pytest.mark.skipif(not kernels.take_bfloat16(), reason="no compiled operators in bfloat16")
def test_maps_are_copied_for_gradients_of_several_readers():
    x, logits = mx.sym.sin(mx.sym.var("data")), mx.sym.sin(mx.sym.var("logits"))
    with kernels.compiled_operators():
        gate = fast.logistic_gate(mx.sym, x, logits)
    assert "gluon_attn_fork" not in mixed_precision(gate, "bfloat16", training=True).tojson()
    assert "gluon_attn_fork" in mixed_precision(gate + x, "bfloat16", training=True).tojson()
    assert "gluon_attn_fork" not in mixed_precision(gate + x, "bfloat16").tojson()


@pytest.mark.filterwarnings("ignore:Cannot decide type")
@pytest.mark.skipif(kernels.problem() is not None, reason=f"no compiled operators: {kernels.problem()}")
@pytest.mark.parametrize("name", ["sep_conv_3x3", "relu_conv_bn_1x1"])
def test_operations_of_cells_in_bfloat16(name):
    """Compiled convolutions and norms in the mixed graph: outputs, gradients and running statistics of float32.

    bfloat16 rounds by up to 0.4 %: so far are outputs away. Gradients of weights are sums that nearly cancel, seen up
    to 6 % away; a wrong formula or a statistic in bfloat16's 8 bits would be by all of it.
    """
    net = cell_op(name, 8)
    net.initialize(mx.init.Xavier())
    x, before = mx.nd.random.normal(shape=(4, 8, 12, 12)), {n: p.data().copy() for n, p in net.collect_params().items()}
    expected = training_pass(net, net(mx.sym.var("data")), x)
    for param, value in before.items():
        net.collect_params()[param].set_data(value)
    with kernels.compiled_operators():
        mixed = mixed_precision(net(mx.sym.var("data") * 1), "bfloat16")
    assert "gluon_attn_batch_norm" in mixed.tojson()
    for found, wanted in zip(
        training_pass(net, copy_after_narrow_norms(mixed, net.collect_params()), x), expected, strict=True
    ):
        assert np.linalg.norm(found - wanted) <= 0.2 * np.linalg.norm(wanted)


@pytest.mark.parametrize("name", ["relu", "tanh", "clip"])
def test_no_operator_computes_number_by_number_in_bfloat16(name):
    data = mx.sym.var("data")
    values = mx.sym.Convolution(data, num_filter=16, kernel=(1, 1), no_bias=True, name="conv")
    y = mx.sym.clip(values, 0, 6) if name == "clip" else getattr(mx.sym, name)(values)
    symbol = mixed_precision(mx.sym.Convolution(y, num_filter=16, kernel=(1, 1), no_bias=True, name="last"), "bfloat16")
    operators = [node["op"] for node in json.loads(symbol.tojson(remove_amp_cast=False))["nodes"]]
    assert name not in operators
    assert "Activation" in operators
    assert ("_minimum_scalar" in operators) == (name == "clip")

    symbol = mixed_precision(y, "bfloat16")
    weight = mx.nd.ones((16, 1, 1, 1))
    x = mx.nd.array([-1.0, 0.5, 3.0, 6.5, 9.0]).reshape((1, 1, 1, 5))
    grad = mx.nd.zeros_like(x)
    bound = symbol.bind(mx.cpu(), {"data": x, "conv_weight": weight}, {"data": grad})
    out = bound.forward(is_train=True)[0].astype("float32").asnumpy()[0, 0, 0]
    function = {"relu": lambda v: np.maximum(v, 0), "tanh": np.tanh, "clip": lambda v: np.clip(v, 0, 6)}[name]
    np.testing.assert_allclose(out, function(x.asnumpy()[0, 0, 0]), rtol=0, atol=0.02)
