"""Every function of nn.fast in ONNX Runtime and in bfloat16."""

import logging

import mxnet as mx
import numpy as np
import pytest
from fast_cases import CASES, Layer, arrays, assert_near, both_forms, each_case, trace
from mxnet import gluon, nd
from mxnet.contrib import amp
from networks import network

from gluon_attn.deploy import export, onnx_ops, predictor
from gluon_attn.deploy.check import compare
from gluon_attn.deploy.graph import trace as trace_network
from gluon_attn.deploy.onnx import write_onnx
from gluon_attn.nn import fast

pytestmark = pytest.mark.filterwarnings("ignore:Cannot decide type")


class Network(gluon.HybridBlock):
    """A convolution for each input, then the function: what AMP meets."""

    def __init__(self, name):
        super().__init__()
        self.layer = Layer(name)
        self.kinds = CASES[name][0]
        with self.name_scope():
            self.sources = gluon.nn.HybridSequential()
            for kind in self.kinds:
                self.sources.add(gluon.nn.Conv2D(1 if kind == "s" else 16, 1, in_channels=3))

    def hybrid_forward(self, F, x):
        inputs = [source(x) for source in self.sources]
        inputs = [fast.global_avg(F, y) if k == "c" else y for k, y in zip(self.kinds, inputs, strict=True)]
        return self.layer(*inputs)


def convert(symbol, inputs):
    """The ONNX file's bytes, by MXNet's converters and ours for operator set 13, with the first axis free."""
    onnx = pytest.importorskip("onnx")
    from mxnet.onnx.mx2onnx._export_onnx import MXNetGraph

    onnx_ops.register()
    logging.disable(logging.WARNING)  # it logs how many dimensions a dot may have
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(onnx.checker.DEFAULT_CONTEXT, "opset_imports", {"": 13})
            graph = MXNetGraph().create_onnx_graph_proto(
                symbol,
                {},
                [a.shape for a in inputs],
                [onnx.TensorProto.FLOAT] * len(inputs),
                opset_version=13,
                dynamic=True,
                dynamic_input_shapes=[("N", *a.shape[1:]) for a in inputs],
            )
    finally:
        logging.disable(logging.NOTSET)
    opset = [onnx.helper.make_opsetid("", 13)]
    return onnx.helper.make_model(graph, opset_imports=opset, ir_version=7).SerializeToString()


def run_onnx(model, names, inputs):
    """The output of a file's bytes for inputs of these names."""
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, dict(zip(names, inputs, strict=True)))[0]


@each_case
@both_forms
def test_onnx_agrees_at_another_batch_size(name, plain):
    symbol, inputs = trace(name, plain), dict(zip(CASES[name][0], arrays(name, (2, 7, 5, 3)), strict=True))
    model = convert(symbol, [inputs[kind] for kind in symbol.list_inputs()])
    inputs = arrays(name, (5, 7, 5, 3))
    wanted = getattr(fast, name)(nd, *map(nd.array, inputs)).asnumpy()
    assert_near(run_onnx(model, CASES[name][0], inputs), wanted)


@pytest.mark.parametrize("mode", ["clip", "wrap"])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("index_keeps", [False, True])
def test_pick_is_mxnets(mode, keepdims, axis, index_keeps):
    """Indices from -9 to 9 along an axis of 4 or 5: many lie outside."""
    options = {"axis": axis, "keepdims": keepdims, "mode": mode}

    def inputs(batch):
        x = np.random.standard_normal((batch, 4, 5)).astype("float32")
        index = np.random.randint(-9, 10, x.max(axis, keepdims=index_keeps).shape)
        return [x, index.astype("float32")]

    model = convert(mx.sym.pick(mx.sym.var("x"), mx.sym.var("i"), **options), inputs(5))
    given = inputs(5 if axis == 0 else 3)
    wanted = nd.pick(*map(nd.array, given), **options).asnumpy()
    np.testing.assert_array_equal(run_onnx(model, "xi", given), wanted)


@pytest.mark.parametrize(("axis", "free"), [(1, 5), (0, 3)])
def test_arange_like_counts_in_whole_numbers(axis, free):
    like = mx.sym.contrib.arange_like(mx.sym.var("x"), axis=axis)
    model = convert(like, [np.zeros((5, 4), "float32")])
    given = np.zeros((free, 4), "float32")
    np.testing.assert_array_equal(run_onnx(model, "x", [given]), np.arange(given.shape[axis], dtype="float32"))
    with pytest.raises(NotImplementedError, match="along an axis, from 0 by 1"):
        convert(mx.sym.contrib.arange_like(mx.sym.var("x"), axis=axis, step=2), [given])


def test_a_network_traced_in_its_fast_form_is_written_as_onnx(tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    from mxnet.onnx.mx2onnx._export_onnx import MXNetGraph

    monkeypatch.delitem(MXNetGraph.registry_[onnx_ops.OPSET], "pick", raising=False)  # other tests made it known
    net, card = network("cifar_resnet20_v1", attention="cbam")
    images = export.random_images(card, 5)
    expected = predictor.of_network(net, card).predict(images)
    traced = trace_network(net, card)
    assert "pick" in traced.symbol.tojson()
    assert compare(write_onnx(traced, tmp_path / "net.onnx"), images, expected).good


@each_case
def test_bfloat16_network_through_amp_is_close(name):
    network = Network(name)
    network.initialize(mx.init.Normal(1))
    network.hybridize()
    x = nd.random.normal(shape=(3, 3, 7, 5))
    wanted = network(x).asnumpy()
    converted = amp.convert_hybrid_block(network, target_dtype="bfloat16", ctx=mx.cpu())
    got = converted(x).astype("float32").asnumpy()
    assert_near(got, wanted, scale=np.abs(wanted).max(), tolerance=0.03)
    assert np.abs(got - wanted).max() > 0  # it did compute in bfloat16


class Both(gluon.HybridBlock):
    """What a convolution gives, and its maximum."""

    def __init__(self, name, channels):
        super().__init__()
        self.layer = Layer(name)
        with self.name_scope():
            self.source = gluon.nn.Conv2D(channels, 1, in_channels=3)

    def hybrid_forward(self, F, x):
        x = self.source(x)
        return F.cast(x, "float32"), F.cast(self.layer(x), "float32")


@pytest.mark.parametrize(("name", "channels", "size"), [("channel_max", 512, 8), ("global_max", 16, 40)])
def test_maxima_in_bfloat16_are_found_beyond_position_256(name, channels, size):
    """bfloat16 has no odd number above 256."""
    block = Both(name, channels)
    block.initialize(mx.init.Normal(1))
    block.hybridize()
    x = nd.random.normal(shape=(3, 3, size, size))
    block(x)
    values, maxima = (a.asnumpy() for a in amp.convert_hybrid_block(block, target_dtype="bfloat16", ctx=mx.cpu())(x))
    assert not (values.view("uint32") & 0xFFFF).any()  # the convolution gave bfloat16
    np.testing.assert_array_equal(maxima, CASES[name][1](values))


TRAINING = """
import gluon_attn, mxnet as mx, sys
from mxnet.contrib import amp
if sys.argv[1] == "amp":
    amp.init(target_dtype="bfloat16")
from gluon_attn.nn import fast

class Network(mx.gluon.HybridBlock):
    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.conv = mx.gluon.nn.Conv2D(16, 1, in_channels=3)

    def hybrid_forward(self, F, x):
        x = self.conv(x)
        x = fast.channel_gate(F, x, fast.sigmoid(F, fast.global_avg(F, x) + fast.global_max(F, x)))
        x = fast.spatial_gate(F, x, fast.sigmoid(F, fast.channel_mean(F, x) + fast.channel_max(F, x)))
        return F.cast(x, "float32").square().mean(axis=0, exclude=True)

mx.random.seed(1)
network = Network()
network.initialize(mx.init.Normal(1))
network.hybridize(static_alloc=True, static_shape=True)
x = mx.nd.random.normal(shape=(3, 3, 7, 5))
with mx.autograd.record():
    loss = network(x)
loss.backward()
print(*network.conv.weight.grad().asnumpy().ravel())
"""


def test_training_under_amp_has_the_gradients_of_float32(run_command):
    found = {}
    for mode in ("amp", "float32"):
        done = run_command("-c", TRAINING, mode)
        assert done.returncode == 0, done.stderr
        found[mode] = np.array(done.stdout.split(), "float64")
    assert_near(found["amp"], found["float32"], scale=np.abs(found["float32"]).max(), tolerance=0.05)
    assert (found["amp"] != found["float32"]).any()
