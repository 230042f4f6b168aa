"""Norms that compute the ReLU behind them: which do, and that no bit changes."""

import json
from collections import Counter

import mxnet as mx
import numpy as np
import pytest
from graphs import training_pass
from mxnet.gluon import nn

from gluon_attn import get_model
from gluon_attn.engine import winograd
from gluon_attn.engine.norm_activations import join_activations
from gluon_attn.engine.precision import with_fast_steps
from gluon_attn.nn import kernels
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


@pytest.mark.parametrize("function", LEFT.values(), ids=LEFT)
def test_others_are_left_alone(function):
    plain = traced(Net(function))
    assert join_activations(plain) is plain


def test_a_norm_that_is_an_output_is_left_alone():
    y = traced(Net(lambda F, x, first, second: first(x)))
    both = mx.sym.Group([relu(mx.sym, y), y])
    assert join_activations(both) is both


@pytest.mark.filterwarnings("ignore:Cannot decide type")
def test_a_nan_stays_one():
    """What watches the loss must see it."""
    net = Net(FORMS["relu"][0])
    x = mx.nd.random.normal(shape=SHAPE)
    x[1, 2, 3, 4] = np.nan
    y = mx.gluon.SymbolBlock(join_activations(traced(net)), [mx.sym.var("data")], params=net.collect_params())(x)
    assert np.argwhere(np.isnan(y.asnumpy())).tolist() == [[1, 2, 3, 4]]


@pytest.mark.parametrize(("attention", "expected"), [(None, {"relu": 7, "add_relu": 9}), ("eca", {"relu": 7})])
def test_norms_of_a_network(monkeypatch, attention, expected):
    """Of the nine blocks two begin with a convolution of stride 2; with an attention the sum is of its map."""
    monkeypatch.setattr(winograd, "_has_wide_vectors", lambda: True)
    net = get_model("cifar_resnet20_v1", 10, attention=attention)
    net.initialize(mx.init.Xavier())
    net(mx.nd.zeros((1, 3, 32, 32)))
    with kernels.compiled_operators():
        counts = Counter(after(with_fast_steps(net)._training._cached_graph[1]))
    assert {then: count for then, count in counts.items() if then != "nothing"} == expected
