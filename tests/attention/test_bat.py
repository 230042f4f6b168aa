"""The tiles of grouped bilinear attention, against loops."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.attention.bat import tiles


@pytest.mark.parametrize("length", [1, 2, 6, 7, 8, 21, 32, 56])
@pytest.mark.parametrize("count", [1, 3, 7])
@pytest.mark.parametrize("axis", [2, 3])
def test_tiles(length, count, axis):
    shape = (1, 2, length, 4) if axis == 2 else (1, 2, 4, length)
    members, same = (array.asnumpy() for array in tiles(mx.nd, mx.nd.ones(shape) * np.nan, axis, count))
    long = -(-length // count)
    assert members.tolist() == [[i // long == tile for i in range(length)] for tile in range(count)]
    assert same.tolist() == [[[i % long == j % long for j in range(length)] for i in range(length)]]
