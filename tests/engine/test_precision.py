"""What a run computes in: warnings, casts, and where the compiled operators may serve."""

import logging

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_attention, get_model, list_attentions
from gluon_attn.attention.factory import attention_options
from gluon_attn.engine import precision
from gluon_attn.engine.precision import computing, low_precision, training_operators, usable_dtype
from gluon_attn.nn import kernels
from gluon_attn.nn.symbol_graph import SymbolGraph
from gluon_attn.utils.errors import UserError


def test_bfloat16_falls_back_with_one_warning(caplog):
    caplog.set_level(logging.WARNING, logger="gluon_attn")
    cpu = [mx.cpu()]
    assert usable_dtype("bfloat16", cpu, has_bfloat16=True) == "bfloat16"
    assert usable_dtype("float32", cpu, has_bfloat16=False) == "float32"
    assert caplog.records == []
    assert usable_dtype("bfloat16", cpu, has_bfloat16=False) == "float32"
    assert [record.getMessage() for record in caplog.records] == [
        "this processor has no bfloat16 instructions: training in float32"
    ]


@pytest.mark.parametrize(("has_bfloat16", "instead"), [(True, "bfloat16"), (False, "float32")])
def test_float16_falls_back_on_a_cpu(has_bfloat16, instead, caplog):
    caplog.set_level(logging.WARNING, logger="gluon_attn")
    assert usable_dtype("float16", [mx.gpu(0)], has_bfloat16) == "float16"
    assert caplog.records == []
    assert usable_dtype("float16", [mx.cpu()], has_bfloat16) == instead
    assert [r.getMessage() for r in caplog.records] == [f"a CPU computes no float16: training in {instead}"]


def test_bfloat16_on_a_gpu_is_refused():
    with pytest.raises(UserError, match="give option dtype float16"):
        usable_dtype("bfloat16", [mx.gpu(0)], has_bfloat16=True)


def test_a_float16_network_is_cast_and_speaks_float32():
    net = mx.gluon.nn.PReLU()
    net.initialize()
    form = computing(net, "float16")
    result = form(mx.nd.array([[-1.0, 2.0]]))
    assert (net.alpha.dtype, result.dtype) == ("float16", np.float32)
    np.testing.assert_allclose(result.asnumpy(), [[-0.25, 2.0]])


@pytest.mark.parametrize("name", list_attentions())
def test_number_types_fit_in_float16(name):
    """What a GPU would run; a CPU can only be asked for the types. A float32 constant in between would be an error."""
    options = {"spatial": 8} if "spatial" in attention_options(name) else {}
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Conv2D(16, 3, in_channels=3), get_attention(name, 16, **options))
    net.initialize()
    output = computing(net, "float16", hybrid=False)(mx.sym.var("data"))
    assert output.infer_type(data=np.float32)[1] == [np.float32]
    weights = {p.dtype for key, p in net.collect_params().items() if key.endswith("weight")}
    assert np.dtype("float16") in {np.dtype(kind) for kind in weights}


def test_low_precision_shares_weights_and_statistics():
    net = get_model("cifar_resnet20_v1", 10, attention="se")
    net.initialize(mx.init.MSRAPrelu())
    low = low_precision(net, "bfloat16")
    x = mx.nd.random.normal(shape=(2, 3, 16, 16))
    exact, rounded = net(x).asnumpy(), low(x).astype("float32").asnumpy()
    assert 0 < np.abs(exact - rounded).max() <= 0.05 * np.abs(exact).max()
    statistics = next(p for name, p in net.collect_params().items() if name.endswith("running_mean"))
    before = statistics.data().asnumpy()
    with mx.autograd.record():
        loss = low(x).sum()
    loss.backward()
    assert np.abs(statistics.data().asnumpy() - before).max() > 0
    assert all(np.isfinite(p.grad().asnumpy()).all() for p in net.collect_params().values() if p.grad_req != "null")
    assert {np.dtype(p.dtype) for p in net.collect_params().values()} == {np.dtype("float32")}


@pytest.mark.parametrize(("amx", "stem_in_float32", "copies"), [(True, False, True), (False, True, False)])
def test_the_form_fits_the_processor(monkeypatch, amx, stem_in_float32, copies):
    monkeypatch.setattr(precision, "uses_amx", lambda: amx)
    net = get_model("cifar_resnet20_v1", 10)
    net.initialize()
    net(mx.nd.zeros((1, 3, 16, 16)))
    graph = SymbolGraph.read(low_precision(net, "bfloat16")(mx.sym.var("data")))
    convolutions = [node for node in graph.nodes if node.op == "Convolution"]
    casts = [node.source(1).op == "amp_cast" for node in convolutions]
    assert casts == [not stem_in_float32, *[True] * (len(casts) - 1)]
    assert any(node.op == "slice_axis" and node.source(0).op == "BatchNorm" for node in graph.nodes) == copies


@pytest.mark.parametrize(
    ("dtype", "context", "wanted", "serve"),
    [
        ("float32", mx.cpu(), "auto", True),
        ("float32", mx.cpu(), "off", False),
        ("bfloat16", mx.cpu(), "auto", True),
        ("float16", mx.cpu(), "auto", False),
        ("float32", mx.gpu(0), "auto", False),
    ],
)
def test_where_compiled_operators_serve(dtype, context, wanted, serve):
    with training_operators(dtype, [context], wanted):
        assert kernels.active() == (serve and kernels.problem() is None)


def test_weights_that_an_inference_has_brought_into_its_layout_are_read():
    net = get_model("mobilenet_v2", 10, input_size=32)
    net.initialize(mx.init.MSRAPrelu())
    x = mx.nd.random.normal(shape=(2, 3, 32, 32))
    before = net(x).asnumpy()  # depthwise weights are in oneDNN's layout from here on
    mixed = low_precision(net, "bfloat16")
    np.testing.assert_allclose(mixed(x).asnumpy(), before, rtol=0, atol=0.05 * np.abs(before).max())


class Doubled(mx.gluon.HybridBlock):
    """Twice as much in training."""

    def __init__(self):
        super().__init__()
        self.layer = mx.gluon.nn.Dense(2, in_units=3)

    def hybrid_forward(self, F, x):
        return self.layer(x) * (2 if mx.autograd.is_training() else 1)


def test_a_network_of_another_graph_in_training():
    net = Doubled()
    net.initialize()
    form, x = low_precision(net, "bfloat16"), mx.nd.ones((1, 3))
    with mx.autograd.record():
        trained = form(x)
    np.testing.assert_array_equal(trained.asnumpy(), 2 * form(x).asnumpy())
