"""What the tests of `nn.fast` share: the functions, a block of each, its inputs and its graph."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon

from gluon_attn.nn import fast

#: name -> (its inputs: x, c(hannel gate), s(patial gate); NumPy's answer; its plain operator)
CASES = {
    "channel_gate": ("xc", lambda x, g: x * g, "broadcast_mul"),
    "channel_shift": ("xc", lambda x, g: x + g, "broadcast_add"),
    "channel_spread": ("xc", lambda x, g: g + 0 * x, "broadcast_like"),
    "spatial_spread": ("xs", lambda x, g: g + 0 * x, "broadcast_like"),
    "spatial_gate": ("xs", lambda x, g: x * g, "broadcast_mul"),
    "channel_mean": ("x", lambda x: x.mean(1, keepdims=True), "mean"),
    "channel_max": ("x", lambda x: x.max(1, keepdims=True), "max"),
    "global_avg": ("x", lambda x: x.mean((2, 3), keepdims=True), "Pooling"),
    "global_max": ("x", lambda x: x.max((2, 3), keepdims=True), "Pooling"),
    "sigmoid": ("x", lambda x: 1 / (1 + np.exp(-x)), "sigmoid"),
}
each_case = pytest.mark.parametrize("name", CASES)
both_forms = pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])


class Layer(gluon.HybridBlock):
    """One function of the module as a block; what it is given are its inputs."""

    def __init__(self, name):
        super().__init__()
        self.operation = getattr(fast, name)

    def hybrid_forward(self, F, *inputs):
        return self.operation(F, *inputs)


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


def assert_near(got, wanted, scale=1.0, tolerance=1e-6):
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() <= tolerance * scale
