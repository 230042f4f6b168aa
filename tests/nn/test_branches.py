"""Softmax across branches and the sum that it weighs."""

import mxnet as mx
import numpy as np

from gluon_attn.nn.branch_softmax import mixed, shares


def test_shares_are_by_group_then_branch():
    logits = mx.nd.arange(2 * 12).reshape((2, 12, 1, 1)) ** 0.5
    got = [share.asnumpy()[:, :, 0, 0] for share in shares(mx.nd, logits, 3, groups=2)]
    e = np.exp(logits.asnumpy()).reshape(2, 2, 3, 2)  # image, group, branch, channel
    wanted = e / e.sum(2, keepdims=True)
    for branch in range(3):
        np.testing.assert_allclose(got[branch], wanted[:, :, branch].reshape(2, 4), rtol=1e-5)


def test_mixed_is_the_gated_sum():
    maps, gates = mx.nd.random.normal(shape=(2, 3, 4, 5, 6)), mx.nd.random.normal(shape=(2, 3, 4, 1, 1))
    got = mixed(mx.nd, list(maps), list(gates))
    np.testing.assert_allclose(got.asnumpy(), (maps * gates).sum(0).asnumpy(), rtol=1e-5, atol=1e-6)
