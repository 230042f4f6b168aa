"""DropBlock: how much it drops, that it drops squares, the mean, nothing outside of training."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.nn.drop_block import DropBlock


def dropped(rate, size, shape, dtype="float32", hybrid=False):
    block, x = DropBlock(rate, size), mx.nd.ones(shape, dtype=dtype)
    block.hybridize(hybrid)
    with mx.autograd.record():
        return block(x).asnumpy()


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize(("rate", "size", "side"), [(0.1, 3, 14), (0.3, 2, 7), (0.1, 3, 1), (0.5, 3, 2)])
def test_each_value_is_dropped_with_the_probability(rate, size, side, hybrid):
    mx.random.seed(3)
    y = dropped(rate, size, (64, 512, side, side), hybrid=hybrid)
    np.testing.assert_allclose(y[y > 0], 1 / (1 - rate), rtol=1e-5)
    share = (y == 0).mean(axis=(0, 1))
    np.testing.assert_allclose(share, rate, atol=0.02)  # at the borders as in the middle


def test_it_drops_whole_squares_of_each_channel():
    mx.random.seed(1)
    gone = dropped(0.05, 3, (4, 8, 16, 16))[:, :, 1:-1, 1:-1] == 0  # squares may stick out
    assert gone.any()
    windows = np.lib.stride_tricks.sliding_window_view(gone, (3, 3), axis=(2, 3)).all(axis=(4, 5))
    inside = np.zeros_like(gone)
    for y, x in np.ndindex(3, 3):
        inside[:, :, y : y + windows.shape[2], x : x + windows.shape[3]] |= windows
    np.testing.assert_array_equal(inside[:, :, 2:-2, 2:-2], gone[:, :, 2:-2, 2:-2])
    assert (gone[0] != gone[1]).any()
    assert (gone[0, 0] != gone[0, 1]).any()


def test_gradients_pass_where_values_stay():
    block, x = DropBlock(0.2), mx.nd.random.normal(shape=(2, 3, 8, 8))
    x.attach_grad()
    with mx.autograd.record():
        y = block(x)
    y.backward()
    np.testing.assert_allclose(x.grad.asnumpy(), np.where(y.asnumpy() == 0, 0, 1.25), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_nothing_changes_outside_of_training(dtype):
    x = mx.nd.random.normal(shape=(2, 3, 8, 8)).astype(dtype)
    np.testing.assert_array_equal(DropBlock(0.2)(x).asnumpy(), x.asnumpy())
    y = dropped(0.2, 3, (2, 3, 8, 8), dtype)
    np.testing.assert_allclose(y[y > 0], 1.25, rtol=1e-3)
