"""Casts that change no number: left out, with the same numbers; those that change some stay."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.contrib import amp

from gluon_attn import get_attention
from gluon_attn.engine.graph_form import GraphForm, traced
from gluon_attn.engine.identity_casts import without_identity_casts
from gluon_attn.engine.precision import computing, low_precision
from gluon_attn.nn.symbol_graph import SymbolGraph

X = mx.nd.array(np.random.RandomState(0).normal(size=(2, 8, 5, 6)))


@pytest.fixture
def net():
    block = get_attention("coord", 8)
    block.initialize(mx.init.Xavier())
    return block


def casts(symbol):
    return [node.attrs["dtype"] for node in SymbolGraph.read(symbol).nodes if node.op in ("Cast", "amp_cast")]


def changed(symbol, **params):
    return without_identity_casts(symbol, params)


def passed(form, net):
    x = X.copy()
    x.attach_grad()
    with mx.autograd.record():
        out = form(x)
        loss = (out**2).sum()
    loss.backward()
    return [out.asnumpy(), x.grad.asnumpy(), *(p.grad().asnumpy() for p in net.collect_params("conv").values())]


def test_the_numbers_stay(net):
    assert casts(traced(net)[1]) == ["float32"]
    assert casts(without_identity_casts(traced(net)[1], dict(net.collect_params().items()))) == []
    form = computing(net, "float32")
    assert isinstance(form, GraphForm)
    for a, b in zip(passed(form, net), passed(net, net), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6 * np.abs(b).max())  # gradients are added in another order
        assert a.any()


def test_a_chain_of_casts():
    x = mx.sym.var("data")
    graph = changed((x.astype("float32").astype("float32") + 1).astype("float32") * 2)
    assert casts(graph) == []
    assert graph.eval(data=mx.nd.array([1.0]))[0].asnumpy() == [4]


def test_casts_of_mixed_precision():
    def half(x):
        return mx.sym.amp_cast(x, dtype=amp.amp.bfloat16)

    x = mx.sym.amp_cast(mx.sym.var("data"), dtype="float32")
    y = mx.sym.amp_cast(half(half(half(x) * 2)), dtype="float32")
    graph = changed(y * 1)
    assert casts(graph) == ["bfloat16", "float32"]
    assert graph.eval(data=mx.nd.array([1 + 2**-9]))[0].asnumpy() == [2]


def test_casts_that_change_the_dtype_stay():
    graph = (mx.sym.var("data").astype("int32").astype("float32") + 1) * 2
    assert changed(graph) is graph
    assert graph.eval(data=mx.nd.array([1.5]))[0].asnumpy() == [4]


def test_operators_of_one_name_are_told_apart():
    """A block that is used twice gives both uses the same names."""
    x = mx.sym.var("data")
    floor = mx.sym.cast(x, dtype="int32", name="same").astype("float32")
    graph = floor * 2 + mx.sym.cast(x, dtype="float32", name="same")
    assert casts(changed(graph)) == ["int32", "float32"]
    assert changed(graph).eval(data=mx.nd.array([1.5]))[0].asnumpy() == [3.5]


def test_of_a_parameter_its_own_dtype_counts():
    wide = mx.gluon.Parameter("wide", shape=(1,), dtype="float64")
    graph = mx.sym.var("data") + mx.sym.var("wide").astype("float32")
    assert changed(graph, wide=wide) is graph
    assert casts(changed(graph, wide=mx.gluon.Parameter("wide", shape=(1,)))) == []


def test_an_output_keeps_its_cast():
    graph = mx.sym.var("data").astype("float32")
    assert changed(graph) is graph


def test_mixed_precision_keeps_what_widens(net):
    got, wanted = low_precision(net, "bfloat16")(X).asnumpy(), net(X).asnumpy()
    np.testing.assert_allclose(got, wanted, rtol=0.02, atol=0.02 * np.abs(wanted).max())
