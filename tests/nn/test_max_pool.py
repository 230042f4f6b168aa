"""Max pooling: NumPy's numbers in every form, and right gradients where oneDNN's are wrong."""

import contextlib

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import HybridBlock, nn

from gluon_attn.nn import fast, kernels
from gluon_attn.nn.pool import MaxPool

FORMS = {"fast": contextlib.nullcontext, "plain": fast.plain_operators, "compiled": kernels.compiled_operators}


def by_hand(x, slope, stride):
    """(maxima, gradient): of equal ones the first takes it."""
    count, channels, height, width = x.shape
    y = np.zeros((count, channels, -(-height // stride), -(-width // stride)), x.dtype)
    gradient = np.zeros_like(x)
    for n, c, i, j in np.ndindex(y.shape):
        places = [(a, b) for a in range(i * stride - 1, i * stride + 2) for b in range(j * stride - 1, j * stride + 2)
                  if 0 <= a < height and 0 <= b < width]  # fmt: skip
        best = max(places, key=lambda place: x[(n, c, *place)])
        y[n, c, i, j] = x[(n, c, *best)]
        gradient[(n, c, *best)] += slope[n, c, i, j]
    return y, gradient


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(6, 8), (7, 5), (1, 1), (2, 1)])
def test_maxima_by_hand(form, stride, size):
    x = mx.nd.random.randint(-3, 3, shape=(2, 3, *size)).astype("float32")  # many are equal
    slope = mx.nd.random.normal(shape=(2, 3, *(-(-side // stride) for side in size)))
    x.attach_grad()
    block = MaxPool(stride)
    block.hybridize()
    with FORMS[form](), mx.autograd.record():
        y = block(x)
    y.backward(slope)
    wanted, gradient = by_hand(x.asnumpy(), slope.asnumpy(), stride)
    np.testing.assert_array_equal(y.asnumpy(), wanted)
    np.testing.assert_allclose(x.grad.asnumpy(), gradient, rtol=1e-5, atol=1e-6)


class Shared(HybridBlock):
    """A convolution whose map goes to a pooling and to others."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.pool = nn.Conv2D(16, 3, padding=1), nn.BatchNorm(), MaxPool()
        self.other = nn.Conv2D(16, 3, padding=1)

    def hybrid_forward(self, F, x):
        y = self.conv(x)
        return (self.pool(y) * y + self.other(F.relu(y))) * self.norm(self.pool(y))


@pytest.mark.parametrize("form", ["fast", "compiled"])
def test_gradients_where_others_read_the_map(form):
    """In float32, as oneDNN computes it, against float64, as MXNet does."""
    x = mx.nd.random.normal(shape=(4, 3, 12, 12))
    net = Shared()
    net.initialize(mx.init.Normal(0.1))
    net(x)
    found = []
    for dtype in ("float32", "float64"):
        net.cast(dtype)
        net.hybridize(static_alloc=True)
        with FORMS[form](), mx.autograd.record():
            loss = (net(x.astype(dtype)) ** 2).sum()
        loss.backward()
        found.append(net.conv.weight.grad().asnumpy().astype("float64"))
    assert np.abs(found[0] - found[1]).max() <= 1e-3 * np.abs(found[1]).max()
