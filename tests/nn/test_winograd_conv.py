"""3x3 convolutions by Winograd's method against MXNet's own."""

import os
import subprocess
import sys

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.nn import kernels

from .test_kernels import near, needs_compiler

SHAPES = [  # samples, channels, channels of the output, height, width
    (9, 16, 16, 8, 8),
    (2, 32, 16, 7, 9),  # tiles beyond the edges
    (3, 48, 80, 5, 4),
    (1, 16, 32, 1, 1),
    (17, 16, 16, 3, 33),  # lines longer than two vectors
    (2, 64, 48, 2, 70),
    (2, 144, 128, 6, 5),  # so many weights that their gradients are summed by channels, not by samples
]
PRINT_DIGEST = """
import hashlib
import gluon_attn
import mxnet as mx
import numpy as np
from gluon_attn.nn import kernels
assert kernels.problem() is None
random = np.random.default_rng(0)
digest = hashlib.sha256()
for n, c, k in ((9, 16, 48), (5, 144, 128)):
    x, weight = (mx.nd.array(random.normal(size=shape)) for shape in ((n, c, 9, 10), (k, c, 3, 3)))
    x.attach_grad(), weight.attach_grad()
    with mx.autograd.record():
        y = mx.nd.gluon_attn_winograd(x, weight, channels=k, bias=0)
    y.backward(y)
    for array in (y, x.grad, weight.grad):
        digest.update(array.asnumpy().tobytes())
print(digest.hexdigest())
"""


def gradients(operator, *arrays):
    """The output, and the gradients of the arrays, which are set to 7 before."""
    for array in arrays:
        array.attach_grad()
        array.grad[:] = 7
    with mx.autograd.record():
        y = operator(*arrays)
    y.backward(mx.nd.cos(mx.nd.arange(y.size)).reshape(y.shape).astype(y.dtype))
    return [array.asnumpy() for array in (y, *(array.grad for array in arrays))]


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("samples", "channels", "out", "height", "width"), SHAPES)
def test_numbers(samples, channels, out, height, width, bias, dtype):
    shapes = (samples, channels, height, width), (out, channels, 3, 3), *[(out,)] * bias
    arrays = [mx.nd.random.normal(shape=shape).astype(dtype) for shape in shapes]
    window = {"kernel": (3, 3), "pad": (1, 1), "num_filter": out, "no_bias": not bias}
    expected = gradients(lambda *arrays: mx.nd.Convolution(*arrays, **window), *arrays)
    found = gradients(lambda *arrays: mx.nd.gluon_attn_winograd(*arrays, channels=out, bias=int(bias)), *arrays)
    near(found, expected, dtype)


@needs_compiler
def test_inputs_only_leaves_the_gradients_of_weights():
    arrays = [mx.nd.random.normal(shape=shape) for shape in ((3, 16, 9, 8), (32, 16, 3, 3), (32,))]

    def run():
        return gradients(lambda *arrays: mx.nd.gluon_attn_winograd(*arrays, channels=32, bias=1), *arrays)

    usual = run()
    with kernels.compiled_operators(), kernels.inputs_only():
        alone = run()
    np.testing.assert_array_equal(alone[1], usual[1])
    assert all((gradient == 7).all() for gradient in alone[2:])
    assert all((gradient != 7).all() for gradient in usual[2:])


@needs_compiler
def test_the_number_of_threads_changes_no_bit():
    found = set()
    for threads in (1, 2, 3):
        environ = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        run = subprocess.run(
            [sys.executable, "-c", PRINT_DIGEST], env=environ, capture_output=True, text=True, check=True
        )
        found.add(run.stdout)
    assert len(found) == 1


@needs_compiler
@pytest.mark.parametrize(("channels", "out"), [(24, 16), (16, 24)])
def test_channels_are_whole_vectors(channels, out):
    x, weight = mx.nd.zeros((1, channels, 4, 4)), mx.nd.zeros((out, channels, 3, 3))
    with pytest.raises(mx.MXNetError):
        mx.nd.gluon_attn_winograd(x, weight, channels=out, bias=0)
