"""Max pooling: NumPy's numbers in every form. Where oneDNN's gradients are wrong: `tests/search/test_supernet.py`."""

import contextlib

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.nn import fast, kernels
from gluon_attn.nn.layers import MaxPool

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
