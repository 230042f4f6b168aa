"""Pooling layers against Gluon's."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluon_attn.nn.pool import GlobalAvgPool


@pytest.mark.parametrize("shape", [(2, 5, 7, 3), (1, 3, 1, 1)])
def test_global_average_has_gluons_values_and_gradients(shape):
    x = mx.nd.random.normal(shape=shape)
    weight = mx.nd.random.normal(shape=(*shape[:2], 1, 1))
    results = []
    for layer in (GlobalAvgPool(), gluon.nn.GlobalAvgPool2D()):
        layer.hybridize()
        x.attach_grad()
        with autograd.record():
            out = layer(x)
            loss = (out * weight).sum()
        loss.backward()
        results.append((out.asnumpy(), x.grad.asnumpy()))
    for ours, theirs in zip(*results, strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)
