"""Positions along the axes of a map, against loops."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.nn.map_tiles import line_along, tiles


def test_a_line_is_as_long_as_its_axis():
    x = mx.nd.arange(120).reshape((2, 3, 4, 5)).astype("float64")
    assert [line_along(mx.nd, x, axis).asnumpy().tolist() for axis in range(4)] == [
        [0, 60], [0, 20, 40], [0, 5, 10, 15], [0, 1, 2, 3, 4],
    ]  # fmt: skip
    assert line_along(mx.nd, x, 2).dtype == np.float32


@pytest.mark.parametrize("length", [1, 2, 6, 7, 8, 21, 32, 56])
@pytest.mark.parametrize("count", [1, 3, 7])
@pytest.mark.parametrize("axis", [2, 3])
def test_tiles(length, count, axis):
    shape = (1, 2, length, 4) if axis == 2 else (1, 2, 4, length)
    members, same = (array.asnumpy() for array in tiles(mx.nd, mx.nd.ones(shape) * np.nan, axis, count))
    long = -(-length // count)
    assert members.tolist() == [[i // long == tile for i in range(length)] for tile in range(count)]
    assert same.tolist() == [[[i % long == j % long for j in range(length)] for i in range(length)]]
