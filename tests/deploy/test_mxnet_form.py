from functools import partial

import mxnet as mx
import pytest
from graphs import distance, inputs, operators
from networks import network

from gluon_attn.deploy import graph_edit, mxnet_form, precision
from gluon_attn.deploy.check import ROUNDING
from gluon_attn.deploy.graph import trace
from gluon_attn.engine import winograd
from gluon_attn.nn import kernels


def test_the_fastest_way_that_runs(monkeypatch):
    net, card = network("cifar_resnet20_v1")
    graph = trace(net, card)
    x = inputs(card)
    with monkeypatch.context() as patch:
        answers = iter(([1, 1, 3, 4, 9], [9, 9, 8, 2, 9]))
        patch.setattr(mxnet_form, "_passes", lambda net, batch: next(answers))
        assert mxnet_form.fastest_graph({"slow": graph, "quick": graph}, x) == "quick"
    broken = graph_edit.fold_norms(trace(*network("cifar_resnet20_v2")))
    ways = {"fused": precision.fuse_for_onednn(broken), "plain": broken}
    assert mxnet_form.fastest_graph(ways, x) == "plain"


@pytest.mark.parametrize("kind", ["float32", "bfloat16"])
def test_every_form_computes_the_network(monkeypatch, kind):
    net, card = network("eca_mobilenet_v2_formula", input_size=64)  # relu6, depthwise layers, sums, gates
    x = inputs(card)
    expected = net(mx.nd.array(x)).asnumpy()
    forms = {}

    def keep(graphs, given):
        forms.update(graphs)
        return ("plain", True)

    monkeypatch.setattr(mxnet_form, "fastest_graph", keep)
    chosen = mxnet_form.graph_for_mxnet(kind, partial(trace, net, card), x, compiled=True)
    assert chosen is forms["plain", True]
    assert set(forms) == {(name, fused) for name in ("fast", "plain", "compiled") for fused in (False, True)}
    usual = ROUNDING["float32"] if kind == "float32" else distance(forms["fast", False], x, expected)
    for (name, fused), graph in forms.items():
        # rounding to bfloat16 is magnified by these weights; fusing rounds less often, never more
        assert distance(graph, x, expected) < 1.5 * usual, (name, fused)
        found = operators(graph)
        assert ("_sg_mkldnn_conv" in found) == fused
        assert any(op.startswith("gluon_attn_") for op in found) == (name == "compiled")
        assert ("amp_cast" in found) == (kind == "bfloat16")
        assert not {"gluon_attn_grouped", "gluon_attn_pointwise", "gluon_attn_batch_norm"} & set(found)


@pytest.mark.skipif(kernels.problem() is not None, reason=str(kernels.problem()))
@pytest.mark.parametrize(
    ("kind", "compiled", "offered"), [("float32", True, True), ("float32", False, False), ("bfloat16", True, False)]
)
def test_winograds_method_is_for_float32_in_this_process(monkeypatch, kind, compiled, offered):
    monkeypatch.setattr(winograd, "_has_wide_vectors", lambda: True)
    net, card = network("cifar_resnet20_v1")
    x = inputs(card)
    forms = {}

    def keep(graphs, given):
        forms.update(graphs)
        return ("plain", True)

    monkeypatch.setattr(mxnet_form, "fastest_graph", keep)
    mxnet_form.graph_for_mxnet(kind, partial(trace, net, card), x, compiled=compiled)
    assert (("winograd", True) in forms) == offered
    assert not any(
        "gluon_attn_winograd" in operators(graph) for (name, _), graph in forms.items() if name != "winograd"
    )
    if offered:
        expected = net(mx.nd.array(x)).asnumpy()
        for fused in (False, True):
            assert operators(forms["winograd", fused]).count("gluon_attn_winograd") == 16
            assert distance(forms["winograd", fused], x, expected) < ROUNDING["float32"]
