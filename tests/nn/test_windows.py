"""Blocks and windows of a map, against NumPy's slices."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.nn import windows


@pytest.mark.parametrize(("block", "reach"), [(1, 0), (1, 2), (4, 3), (3, 0), (8, 3), (2, 5)])
@pytest.mark.parametrize("size", [(7, 5), (1, 1), (8, 16)], ids=str)
def test_windows_are_slices_of_the_padded_map(size, block, reach):
    (high, wide), width = size, block + 2 * reach
    x = mx.nd.random.normal(shape=(2, 3, *size))
    got = windows.windows(mx.nd, windows.padded(mx.nd, x, block, reach, -7), block, width).asnumpy()
    padded = np.pad(x.asnumpy(), ((0, 0), (0, 0), (reach, reach + block), (reach, reach + block)), constant_values=-7)
    wanted = [
        padded[image, :, top : top + width, left : left + width].transpose(2, 1, 0)
        for image in range(2)
        for top in range(0, high, block)
        for left in range(0, wide, block)
    ]
    assert np.array_equal(got, np.stack(wanted))


@pytest.mark.parametrize("block", [1, 3, 8])
@pytest.mark.parametrize("size", [(7, 5), (1, 1), (8, 16)], ids=str)
def test_unblocked_undoes_blocks(size, block):
    x = mx.nd.random.normal(shape=(2, 3, *size))
    assert np.array_equal(windows.unblocked(mx.nd, windows.blocks(mx.nd, x, block), x, block).asnumpy(), x.asnumpy())
