"""Dropped paths: whole images, scaled, and only in training."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.nn.drop_path import DropPath, set_drop_path


def trained(block, x):
    with mx.autograd.record():
        return block(x).asnumpy()


@pytest.mark.parametrize("hybrid", [False, True])
def test_whole_images_are_dropped(hybrid):
    block, x = DropPath(0.25), mx.nd.random.uniform(1, 2, shape=(400, 3, 2, 2))
    block.hybridize(hybrid)
    assert (block(x).asnumpy() == x.asnumpy()).all()
    share = trained(block, x) / x.asnumpy()
    assert np.allclose(share, share[:, :1, :1, :1])
    assert set(np.round(share[:, 0, 0, 0], 5)) == {0, np.float32(1.33333)}
    assert abs((share[:, 0, 0, 0] == 0).mean() - 0.25) < 0.1  # four and a half deviations


def test_another_rate_for_a_hybridized_network():
    net, x = mx.gluon.nn.HybridSequential(), mx.nd.ones((64, 1, 1, 1))
    net.add(DropPath(), DropPath())
    net.hybridize()
    assert (trained(net, x) == 1).all()
    set_drop_path(net, 0.5)
    assert {0.0, 4.0} == set(trained(net, x).ravel())
    set_drop_path(net, 0.0)
    assert (trained(net, x) == 1).all()
