"""Group normalisation against its formula and MXNet's own."""

import mxnet as mx
import numpy as np

from gluon_attn.nn.group_norm import GroupNorm


def test_is_mxnets_and_keeps_small_variances():
    norm = GroupNorm(12, 3)
    norm.initialize()
    norm.gamma.set_data(mx.nd.random.uniform(0.5, 1.5, (1, 12, 1, 1)))
    norm.beta.set_data(mx.nd.random.normal(shape=(1, 12, 1, 1)))
    x = mx.nd.random.normal(100, 1, shape=(2, 12, 5, 4))  # a mean of squares less a square of means would fail here
    rows = x.asnumpy().astype("float64").reshape(2, 3, -1)
    rows = (rows - rows.mean(2, keepdims=True)) / np.sqrt(rows.var(2, keepdims=True) + 1e-5)
    wanted = rows.reshape(x.shape) * norm.gamma.data().asnumpy() + norm.beta.data().asnumpy()
    np.testing.assert_allclose(norm(x).asnumpy(), wanted, rtol=1e-3, atol=1e-4)  # x itself is good to 1e-5
    x = x - 100
    ones, zeros = mx.nd.ones(3), mx.nd.zeros(3)
    own = mx.nd.GroupNorm(x, ones, zeros, num_groups=3, eps=1e-5) * norm.gamma.data() + norm.beta.data()
    np.testing.assert_allclose(norm(x).asnumpy(), own.asnumpy(), rtol=1e-5, atol=1e-5)
