"""Norms and gates that compute the ReLU behind them: which do, and that numbers stay."""

import json
from collections import Counter

import mxnet as mx
import numpy as np
import pytest
from graphs import training_pass
from mxnet.gluon import nn

from gluon_attn import get_model
from gluon_attn.engine import winograd
from gluon_attn.engine.joined_activations import join_activations
from gluon_attn.engine.precision import with_fast_steps
from gluon_attn.nn import fast, kernels
from gluon_attn.nn.norm import BatchNorm

pytestmark = pytest.mark.skipif(kernels.problem() is not None, reason=str(kernels.problem()))
SHAPE = (3, 4, 5, 7)


class Net(nn.HybridBlock):
    """Two norms by compiled operators, and what a function of (F, x, first norm, second norm) makes of them."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        with self.name_scope():
            self.first, self.second = (BatchNorm(in_channels=4) for _ in range(2))
        self.initialize()
        for param in self.collect_params(".*gamma|.*beta").values():
            param.set_data(mx.nd.random.normal(shape=4))

    def hybrid_forward(self, F, x):
        return self.function(F, x, self.first, self.second)


def relu(F, x):
    return F.Activation(x, act_type="relu")


def relu_and_itself(F, x):
    return relu(F, x) + x


def sum_and_itself(F, x, y):
    return relu(F, y + x) + y


FORMS = {
    "relu": (lambda F, x, first, second: relu(F, first(x)), ["relu"]),
    "the other operator": (lambda F, x, first, second: F.relu(first(x)), ["relu"]),
    "norm + shortcut": (lambda F, x, first, second: relu(F, first(x) + x * x), ["add_relu"]),
    "shortcut + norm": (lambda F, x, first, second: relu(F, x * x + first(x)), ["add_relu"]),
    "shortcut after it": (lambda F, x, first, second: relu(F, first(x) + F.sin(second(x))), ["add_relu", "nothing"]),
    "two norms": (lambda F, x, first, second: relu(F, first(x) + second(x)), ["add_relu", "nothing"]),
    "a block": (lambda F, x, first, second: relu(F, second(relu(F, first(x))) + x), ["add_relu", "relu"]),
}
LEFT = {
    "no ReLU": lambda F, x, first, second: F.Activation(first(x), act_type="tanh"),
    "norm read twice": lambda F, x, first, second: relu_and_itself(F, first(x)),
    "sum read twice": lambda F, x, first, second: relu_and_itself(F, first(x) + x),
    "norm twice in the sum": lambda F, x, first, second: relu(F, (lambda y: y + y)(first(x))),
    "no sum": lambda F, x, first, second: relu(F, first(x) * x),
    "gate without a sum": lambda F, x, *_: relu(F, fast.channel_scale(F, x, F.mean(x, axis=(2, 3), keepdims=True))),
    "gated map read twice": lambda F, x, *_: sum_and_itself(
        F, x, fast.spatial_scale(F, x, F.mean(x, axis=1, keepdims=True))
    ),
}


def traced(net):
    with kernels.compiled_operators():
        return net(mx.sym.var("data") * 1)


def after(symbol):
    """What each norm computes after it, sorted."""
    nodes = json.loads(symbol.tojson(remove_amp_cast=False))["nodes"]
    return sorted(node["attrs"]["then"] for node in nodes if node["op"] == "gluon_attn_batch_norm")


def passes(net, symbol, x):
    """A training pass, then one with its running statistics."""
    params = net.collect_params()
    before = {name: param.data().copy() for name, param in params.items()}
    found = training_pass(net, symbol, x)
    block = mx.gluon.SymbolBlock(symbol, [mx.sym.var("data", dtype=x.dtype)], params=params)
    found.append(block(x).asnumpy())
    for name, value in before.items():
        params[name].set_data(value)
    return found


def gated(F, x, gate):
    """ReLU of a sum with a gated map, whose gate is the mean over the axes where `gate` has length 1."""
    return relu(F, fast.channel_scale(F, x, F.mean(x, axis=gate, keepdims=True)) + F.sin(x))


GATES = {
    "of channels": ((3, 4, 5, 7), lambda F, x, *_: gated(F, x, (2, 3))),
    "of pixels": ((3, 4, 5, 7), lambda F, x, *_: gated(F, x, 1)),
    "of many channels": ((16, 4, 64, 80), lambda F, x, *_: gated(F, x, (2, 3))),  # past the caches
    "of many pixels": ((2, 4, 40, 60), lambda F, x, *_: gated(F, x, 1)),  # of more than one task
    "of a pixel": ((3, 4, 1, 1), lambda F, x, *_: gated(F, x, (2, 3))),
    "behind a norm": ((3, 4, 5, 7), lambda F, x, first, second: gated(F, first(x), (2, 3))),
}


def same_bits(net, plain, joined, x):
    for found, expected in zip(passes(net, joined, x), passes(net, plain, x), strict=True):
        np.testing.assert_array_equal(found, expected)
        assert np.isfinite(found).all()


@pytest.mark.parametrize(("function", "expected"), FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_bits(function, expected, dtype):
    net = Net(function)
    net.cast(dtype)
    plain = traced(net)
    joined = join_activations(plain)
    assert after(joined) == expected
    same_bits(net, plain, joined, mx.nd.random.normal(shape=SHAPE, dtype=dtype))


@pytest.mark.parametrize(("dtype", "rounding"), [("float32", 2e-6), ("float64", 4e-15)])
@pytest.mark.parametrize(("shape", "function"), GATES.values(), ids=GATES)
def test_a_gate_with_its_sum_and_relu(shape, function, dtype, rounding):
    """A product is not rounded before the sum: some units in the last place of sums of up to eight."""
    net = Net(function)
    net.cast(dtype)
    plain = traced(net)
    joined = join_activations(plain)
    assert "gluon_attn_gate_add_relu" in joined.tojson()
    assert "Activation" not in joined.tojson()
    x = mx.nd.random.normal(shape=shape, dtype=dtype)
    results = []
    for symbol in (plain, joined):
        x.attach_grad()
        results.append([*passes(net, symbol, x), x.grad.asnumpy()])
    for found, expected in zip(*results[::-1], strict=True):
        np.testing.assert_allclose(found, expected, rtol=rounding, atol=rounding * np.abs(expected).max())


def test_a_shortcut_of_another_shape_is_an_error():
    x, gate, shortcut = (mx.nd.ones(shape) for shape in ((1, 2, 2, 1), (1, 2, 1, 1), (1, 2, 1, 1)))
    with pytest.raises(mx.MXNetError, match="Shape inconsistent"):
        mx.nd.gluon_attn_gate_add_relu(x, gate, shortcut)


def test_a_shortcut_that_is_an_input_is_left_alone():
    """Its gradient may have to be added to what it has."""
    for make in (lambda F, x, first: first(x * 1), lambda F, x, first: fast.channel_scale(F, x * 1, F.mean(x, 1))):
        net = Net(lambda F, x, first, second, make=make: relu(F, make(F, x, first) + x))
        with kernels.compiled_operators():
            plain = net(mx.sym.var("data"))
        assert join_activations(plain) is plain


@pytest.mark.parametrize("function", LEFT.values(), ids=LEFT)
def test_others_are_left_alone(function):
    plain = traced(Net(function))
    assert join_activations(plain) is plain


def test_a_norm_that_is_an_output_is_left_alone():
    y = traced(Net(lambda F, x, first, second: first(x)))
    both = mx.sym.Group([relu(mx.sym, y), y])
    assert join_activations(both) is both


@pytest.mark.filterwarnings("ignore:Cannot decide type")
@pytest.mark.parametrize(
    ("function", "reached"),
    [(FORMS["relu"][0], [1, 2, 3, 4]), (GATES["of pixels"][1], [1, ..., 3, 4]), (GATES["of channels"][1], [1, 2])],
)
def test_a_nan_stays_one(function, reached):
    """What watches the loss must see it."""
    net = Net(function)
    x = mx.nd.random.normal(shape=SHAPE)
    x[1, 2, 3, 4] = np.nan
    y = mx.gluon.SymbolBlock(join_activations(traced(net)), [mx.sym.var("data")], params=net.collect_params())(x)
    expected = np.zeros(SHAPE, bool)
    expected[tuple(reached)] = True
    np.testing.assert_array_equal(np.isnan(y.asnumpy()), expected)


@pytest.mark.parametrize(
    ("attention", "expected", "gates"),
    [(None, {"relu": 7, "add_relu": 9}, 0), ("eca", {"relu": 7}, 9), ("cbam", {"relu": 7}, 9)],
)
def test_a_network(monkeypatch, attention, expected, gates):
    """Of the nine blocks two begin with a convolution of stride 2; with an attention the sum is of its map."""
    monkeypatch.setattr(winograd, "_has_wide_vectors", lambda: True)
    net = get_model("cifar_resnet20_v1", 10, attention=attention)
    net.initialize(mx.init.Xavier())
    net(mx.nd.zeros((1, 3, 32, 32)))
    with kernels.compiled_operators():
        graph = with_fast_steps(net)._training._cached_graph[1]
    counts = Counter(after(graph))
    assert graph.tojson().count('"op": "gluon_attn_gate_add_relu"') == gates
    assert {then: count for then, count in counts.items() if then != "nothing"} == expected
