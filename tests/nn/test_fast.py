"""Every function of nn.fast, in both of its forms: values, gradients, and which form is emitted."""

import mxnet as mx
import numpy as np
import pytest
from fast_cases import CASES, Layer, arrays, assert_near, both_forms, each_case, trace
from mxnet import autograd, gluon, nd

from gluon_attn.nn import fast

SHAPES = [(1, 16, 8, 8), (3, 7, 5, 3), (3, 1, 6, 9), (1, 5, 1, 1), (3, 33, 1, 1), (2, 2, 1, 7)]
pytestmark = pytest.mark.filterwarnings("ignore:Cannot decide type")
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
both_modes = pytest.mark.parametrize("train", [True, False], ids=["train", "predict"])


def gradients(block, inputs, train=True):
    """Output and gradients of a loss that weighs each output element differently, recorded in either mode."""
    inputs = [nd.array(a) for a in inputs]
    for a in inputs:
        a.attach_grad()
    with autograd.record(train_mode=train):
        out = block(*inputs)
    out.backward(nd.array(np.random.RandomState(1).standard_normal(out.shape)), train_mode=train)
    return [out.asnumpy(), *(a.grad.asnumpy() for a in inputs)]


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
@both_modes
def test_gradients_are_those_of_the_plain_operators_and_gates_and_maxima_exact(name, shape, train):
    inputs = arrays(name, shape)
    ours = gradients(Layer(name), inputs, train)
    with fast.plain_operators():
        theirs = gradients(Layer(name), inputs, train)
    if "gate" in name or "shift" in name or "max" in name:
        np.testing.assert_array_equal(ours[0], theirs[0])
    for got, wanted in zip(ours, theirs, strict=True):
        assert_near(got, wanted, scale=max(1, np.abs(wanted).max()))


@each_case
@each_shape
@both_modes
def test_hybrid_imperative_and_symbol_agree_with_their_gradients(name, shape, train):
    inputs = arrays(name, shape)
    imperative, hybrid = Layer(name), Layer(name)
    hybrid.hybridize(static_alloc=True, static_shape=True)
    symbol = gluon.SymbolBlock(trace(name), [mx.sym.var(kind) for kind in CASES[name][0]])
    wanted = gradients(imperative, inputs, train)
    for block in (hybrid, symbol):
        for got, want in zip(gradients(block, inputs, train), wanted, strict=True):
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


@pytest.mark.parametrize(("name", "axis"), [("channel_max", 1), ("global_max", (2, 3))])
@pytest.mark.parametrize("shape", [(3, 7, 5, 3), (2, 64, 8, 8), (1, 5, 40, 40)], ids=str)
@both_modes
def test_gradients_of_maxima_are_numpys(name, axis, shape, train):
    x = arrays(name, shape)[0]
    wanted = x == x.max(axis, keepdims=True)
    out, gradient = gradients(Layer(name), [x], train)
    np.testing.assert_array_equal(out, x.max(axis, keepdims=True))
    weights = np.random.RandomState(1).standard_normal(out.shape).astype("float32")
    np.testing.assert_array_equal(gradient, wanted * weights)


@pytest.mark.parametrize(("name", "shape"), [("channel_max", (1, 2100, 1, 2)), ("global_max", (1, 2, 47, 47))])
@pytest.mark.parametrize("hybrid", [False, True], ids=["imperative", "hybrid"])
def test_maxima_in_float16_are_found_beyond_position_2048(name, shape, hybrid):
    """float16 has no odd number above 2048."""
    x = np.random.uniform(0, 1, shape).astype("float16")
    along = x if name == "channel_max" else x.reshape(1, 2, -1)
    along[:, 2051 if name == "channel_max" else slice(None), 0 if name == "channel_max" else 2077] = 2
    x = nd.array(x, dtype="float16")
    x.attach_grad()
    layer = Layer(name)
    layer.hybridize(hybrid)
    with autograd.record():
        out = layer(x)
    out.backward()
    assert out.dtype == np.float16
    assert (out.asnumpy() == 2).all()
    np.testing.assert_array_equal(x.grad.asnumpy(), x.asnumpy() == 2)


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
