"""The bottleneck of the channel attentions."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

from gluon_attn.nn.mlp import hidden_channels, pointwise_mlp


@pytest.mark.parametrize(
    ("channels", "reduction", "hidden"), [(64, 16, 4), (16, 16, 1), (8, 16, 1), (65, 16, 4), (7, 2, 3), (16, 1, 16)]
)
def test_hidden_width(channels, reduction, hidden):
    assert hidden_channels(channels, reduction) == hidden


@pytest.mark.parametrize(
    ("options", "kinds", "count"),
    [
        ({}, ["Conv2D", "Activation", "Conv2D"], 6 * 2 + 2 + 2 * 6 + 6),
        ({"bias": False}, ["Conv2D", "Activation", "Conv2D"], 6 * 2 * 2),
        ({"bias": False, "relu": False}, ["Conv2D", "Conv2D"], 6 * 2 * 2),
        (
            {"bias": False, "norm": True},
            ["Conv2D", "BatchNorm", "Activation", "Conv2D", "BatchNorm"],
            6 * 2 * 2 + 2 * 2 + 2 * 6,
        ),
        (
            {"bias": True, "norm": True, "relu": False},
            ["Conv2D", "BatchNorm", "Conv2D", "BatchNorm"],
            6 * 2 * 2 + 2 + 6 + 2 * 2 + 2 * 6,
        ),
    ],
)
def test_layers_and_their_weights(options, kinds, count):
    block = pointwise_mlp(6, 2, **options)
    assert [type(layer).__name__ for layer in block] == kinds
    learned = [p for p in block.collect_params().values() if p.grad_req != "null"]
    assert sum(int(np.prod(p.shape)) for p in learned) == count


def test_it_works_at_every_pixel():
    block = pointwise_mlp(3, 2)
    block.initialize(mx.init.Normal(1))
    x = np.random.normal(size=(2, 3, 4, 5)).astype("float32")
    first, _, second = block
    hidden = np.einsum("nchw,oc->nohw", x, first.weight.data().asnumpy()[:, :, 0, 0])
    wanted = np.einsum("nchw,oc->nohw", np.maximum(hidden, 0), second.weight.data().asnumpy()[:, :, 0, 0])
    np.testing.assert_allclose(block(mx.nd.array(x)).asnumpy(), wanted, rtol=1e-5, atol=1e-5)
    assert isinstance(first, nn.Conv2D)
