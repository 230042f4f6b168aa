"""Convolutions of searched cells, against NumPy. All of them as operations: `test_cell_ops.py`."""

import contextlib

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.nn import fast
from gluon_attn.nn.cell_convs import FactorizedReduce, concat_channels


def image(height=7, width=5):
    return mx.nd.random.normal(shape=(2, 6, height, width))


@pytest.mark.parametrize("plain", [False, True])
def test_concatenated_channels(plain):
    first, second = image(), image()
    with fast.plain_operators() if plain else contextlib.nullcontext():
        got = concat_channels(mx.nd, [first, second], 12).asnumpy()
    np.testing.assert_array_equal(got, np.concatenate([first.asnumpy(), second.asnumpy()], 1))


@pytest.mark.parametrize("size", [(8, 6), (7, 5)])
def test_the_factorized_reduction_sees_every_second_pixel_twice(size):
    """Channels of the first half at even rows and columns, of the second at odd ones; zeros beyond the map."""
    block = FactorizedReduce(6, 4)
    block.initialize(mx.init.Normal(0.5))
    x = image(*size)
    padded = np.pad(np.maximum(x.asnumpy(), 0), ((0, 0), (0, 0), (0, 1), (0, 1)))
    height, width = (-(-side // 2) for side in size)
    halves = [
        np.einsum(
            "nchw,oc->nohw", padded[:, :, i::2, i::2][:, :, :height, :width], conv.weight.data().asnumpy()[..., 0, 0]
        )
        for i, conv in enumerate((block.conv_1, block.conv_2))
    ]
    np.testing.assert_allclose(block(x).asnumpy() * np.sqrt(1 + 1e-5), np.concatenate(halves, 1), rtol=1e-4, atol=1e-5)
