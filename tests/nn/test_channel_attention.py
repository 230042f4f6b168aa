"""The bottleneck of the channel attentions, and the softmax across branches."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

from gluon_attn.nn.channel_attention import branch_softmax, gated_sum, hidden_channels, pointwise_mlp


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
        ({"bias": False, "activation": None}, ["Conv2D", "Conv2D"], 6 * 2 * 2),
        (
            {"bias": False, "norm": True},
            ["Conv2D", "BatchNorm", "Activation", "Conv2D", "BatchNorm"],
            6 * 2 * 2 + 2 * 2 + 2 * 6,
        ),
        (
            {"bias": True, "norm": True, "activation": None},
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


def test_branch_softmax_is_by_group_then_branch():
    logits = mx.nd.arange(2 * 12).reshape((2, 12, 1, 1)) ** 0.5
    got = [gate.asnumpy()[:, :, 0, 0] for gate in branch_softmax(mx.nd, logits, 3, groups=2)]
    e = np.exp(logits.asnumpy()).reshape(2, 2, 3, 2)  # image, group, branch, channel
    wanted = e / e.sum(2, keepdims=True)
    for branch in range(3):
        np.testing.assert_allclose(got[branch], wanted[:, :, branch].reshape(2, 4), rtol=1e-5)


def test_gated_sum():
    maps, gates = mx.nd.random.normal(shape=(2, 3, 4, 5, 6)), mx.nd.random.normal(shape=(2, 3, 4, 1, 1))
    got = gated_sum(mx.nd, list(maps), list(gates))
    np.testing.assert_allclose(got.asnumpy(), (maps * gates).sum(0).asnumpy(), rtol=1e-5, atol=1e-6)
