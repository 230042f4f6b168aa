"""Every function of nn.fast, in both of its forms."""

import json
import logging
import threading

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon, nd
from mxnet.contrib import amp

from gluon_attn.nn import fast

#: name -> (its inputs: x, c(hannel gate), s(patial gate); NumPy's answer; its plain operator)
CASES = {
    "channel_gate": ("xc", lambda x, g: x * g, "broadcast_mul"),
    "spatial_gate": ("xs", lambda x, g: x * g, "broadcast_mul"),
    "channel_mean": ("x", lambda x: x.mean(1, keepdims=True), "mean"),
    "channel_max": ("x", lambda x: x.max(1, keepdims=True), "max"),
    "global_avg": ("x", lambda x: x.mean((2, 3), keepdims=True), "mean"),
    "global_max": ("x", lambda x: x.max((2, 3), keepdims=True), "max"),
    "sigmoid": ("x", lambda x: 1 / (1 + np.exp(-x)), "sigmoid"),
}
SHAPES = [(1, 16, 8, 8), (3, 7, 5, 3), (3, 1, 6, 9), (1, 5, 1, 1), (3, 33, 1, 1), (2, 2, 1, 7)]
pytestmark = pytest.mark.filterwarnings("ignore:Cannot decide type")
each_case = pytest.mark.parametrize("name", CASES)
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
both_forms = pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])


class Layer(gluon.HybridBlock):
    """One function of the module as a block; what it is given are its inputs."""

    def __init__(self, name):
        super().__init__()
        self.operation = getattr(fast, name)

    def hybrid_forward(self, F, *inputs):
        return self.operation(F, *inputs)


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


def arrays(name, shape):
    """Random float32 inputs of one function for x of `shape`."""
    n, c, h, w = shape
    shapes = {"x": shape, "c": (n, c, 1, 1), "s": (n, 1, h, w)}
    return [np.random.standard_normal(shapes[kind]).astype("float32") for kind in CASES[name][0]]


def trace(name, plain=False):
    """The function as a symbol; its inputs are variables named like their kinds."""
    variables = [mx.sym.var(kind) for kind in CASES[name][0]]
    if not plain:
        return getattr(fast, name)(mx.sym, *variables)
    with fast.plain_operators():
        return getattr(fast, name)(mx.sym, *variables)


def operators(symbol):
    return [node["op"] for node in json.loads(symbol.tojson())["nodes"] if node["op"] != "null"]


def gradients(block, inputs):
    """Output and gradients of a loss that weighs each output element differently."""
    inputs = [nd.array(a) for a in inputs]
    for a in inputs:
        a.attach_grad()
    with autograd.record():
        out = block(*inputs)
    out.backward(nd.array(np.random.RandomState(1).standard_normal(out.shape)))
    return [out.asnumpy(), *(a.grad.asnumpy() for a in inputs)]


def assert_near(got, wanted, scale=1.0, tolerance=1e-6):
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() <= tolerance * scale


@each_case
@each_shape
@both_forms
def test_value_is_numpys(name, shape, plain):
    inputs = arrays(name, shape)
    wanted = CASES[name][1](*(a.astype("float64") for a in inputs))
    given = dict(zip(CASES[name][0], map(nd.array, inputs), strict=True))
    out = trace(name, plain).bind(mx.cpu(), given).forward()[0].asnumpy()
    assert_near(out, wanted, scale=max(1, np.abs(wanted).max()))


@each_case
@each_shape
def test_gradients_are_those_of_the_plain_operators_and_gates_and_maxima_exact(name, shape):
    inputs = arrays(name, shape)
    ours = gradients(Layer(name), inputs)
    with fast.plain_operators():
        theirs = gradients(Layer(name), inputs)
    if "gate" in name or "max" in name:
        np.testing.assert_array_equal(ours[0], theirs[0])
    for got, wanted in zip(ours, theirs, strict=True):
        assert_near(got, wanted, scale=max(1, np.abs(wanted).max()))


@each_case
@each_shape
def test_hybrid_imperative_and_symbol_agree_with_their_gradients(name, shape):
    inputs = arrays(name, shape)
    imperative, hybrid = Layer(name), Layer(name)
    hybrid.hybridize(static_alloc=True, static_shape=True)
    symbol = gluon.SymbolBlock(trace(name), [mx.sym.var(kind) for kind in CASES[name][0]])
    wanted = gradients(imperative, inputs)
    for block in (hybrid, symbol):
        for got, want in zip(gradients(block, inputs), wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)


@each_case
def test_one_traced_graph_serves_other_batches_and_sizes(name):
    layer = Layer(name)
    layer.hybridize()
    for shape in SHAPES:
        inputs = arrays(name, shape)
        assert_near(layer(*map(nd.array, inputs)).asnumpy(), CASES[name][1](*inputs), scale=10)


@each_case
def test_no_parameters_and_the_dtype_of_the_input(name):
    symbol = trace(name)
    assert sorted(symbol.list_inputs()) == sorted(CASES[name][0])
    for dtype in (np.float16, np.float64):
        assert symbol.infer_type(**dict.fromkeys(CASES[name][0], dtype))[1] == [dtype]


@pytest.mark.parametrize("name", ["channel_mean", "global_avg"])
@pytest.mark.parametrize("shape", [(2, 256, 56, 56), (2, 2048, 7, 7)], ids=str)
def test_means_of_many_positive_numbers_keep_their_digits(name, shape):
    x = np.random.uniform(size=shape).astype("float32")
    wanted = CASES[name][1](x.astype("float64"))
    np.testing.assert_allclose(getattr(fast, name)(nd, nd.array(x)).asnumpy(), wanted, rtol=6e-7)


@pytest.mark.parametrize("name", ["channel_max", "global_max"])
def test_of_equal_maxima_the_first_takes_the_gradient(name):
    x = np.zeros((1, 3, 1, 1) if name == "channel_max" else (1, 1, 1, 3), "float32")
    x.flat[1:] = 2
    flat = gradients(Layer(name), [x])[1].ravel()
    assert flat[1] != 0
    assert flat[0] == flat[2] == 0
    with fast.plain_operators():
        flat = gradients(Layer(name), [x])[1].ravel()
    assert flat[1] == flat[2] != 0


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
    layer(*map(nd.array, arrays("channel_gate", SHAPES[0])))
    with fast.plain_operators():
        assert operators(layer(mx.sym.var("x"), mx.sym.var("c"))) == ["broadcast_mul"]


@each_case
@both_forms
def test_onnx_agrees_at_another_batch_size(name, plain, monkeypatch):
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    monkeypatch.setattr(onnx.checker.DEFAULT_CONTEXT, "opset_imports", {"": 13})
    symbol, inputs = trace(name, plain), arrays(name, (2, 7, 5, 3))
    if name == "channel_max" and not plain:
        with pytest.raises(AttributeError, match="pick"):
            export(onnx, symbol, inputs)
        return
    session = runtime.InferenceSession(export(onnx, symbol, inputs), providers=["CPUExecutionProvider"])
    inputs = arrays(name, (5, 7, 5, 3))
    out = session.run(None, dict(zip(CASES[name][0], inputs, strict=True)))[0]
    assert_near(out, getattr(fast, name)(nd, *map(nd.array, inputs)).asnumpy())


def export(onnx, symbol, inputs):
    """The ONNX file's bytes, by MXNet's converters for operator set 13, their newest, with the batch free."""
    from mxnet.onnx.mx2onnx._export_onnx import MXNetGraph

    logging.disable(logging.WARNING)  # it logs how many dimensions a dot may have
    try:
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
