"""What the tests against papers' formulas share: NumPy's layers in float64, random weights, values and gradients."""

import contextlib

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_attention
from gluon_attn.nn import fast
from gluon_attn.runs.checks.gradients import directional


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def relu(x):
    return np.maximum(x, 0)


def mean(x):
    return x.mean((2, 3), keepdims=True)


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


class Weights:
    """A block's weights in float64, and the layers that use them. train: norms take the statistics of the batch."""

    def __init__(self, block, train=False):
        self.train = train
        self.all = {n: p.data().asnumpy().astype("float64") for n, p in block._collect_params_with_prefix().items()}

    def conv(self, name, x, stride=1, padding=None, dilation=1, groups=1):
        """A convolution, by loops over the kernel; padding keeps the size unless given."""
        weight = self.all[f"{name}.weight"]
        high, wide = ((side - 1) * dilation + 1 for side in weight.shape[2:])
        pad = high // 2 if padding is None else padding
        x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
        rows, columns = x.shape[2] - high + 1, x.shape[3] - wide + 1
        assert weight.shape[1] * groups == x.shape[1]
        out = []
        for part, filters in zip(np.split(x, groups, 1), np.split(weight, groups), strict=True):
            total = 0
            for i, j in np.ndindex(*weight.shape[2:]):
                top, left = i * dilation, j * dilation
                window = part[:, :, top : top + rows : stride, left : left + columns : stride]
                total = total + np.einsum("nchw,oc->nohw", window, filters[:, :, i, j])
            out.append(total)
        return np.concatenate(out, 1) + self.all.get(f"{name}.bias", np.zeros(1)).reshape(1, -1, 1, 1)

    def norm(self, name, x):
        gamma, beta, centre, variance = (
            self.all[f"{name}.{part}"].reshape(1, -1, 1, 1) for part in ("gamma", "beta", "running_mean", "running_var")
        )
        if self.train:
            centre, variance = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
        return gamma * (x - centre) / np.sqrt(variance + 1e-5) + beta

    def layer(self, name, x):
        """Convolution, norm, ReLU."""
        return relu(self.norm(f"{name}.1", self.conv(f"{name}.0", x)))


def drawn(name, channels, spread=0.5, **options):
    """An attention with random weights, of deviation `spread`, and statistics; constants stay."""
    block = get_attention(name, channels, **options)
    block.initialize()
    for key, param in block.collect_params().items():
        if param.grad_req == "null" and not key.endswith(("running_mean", "running_var")):
            continue
        positive = key.endswith(("gamma", "running_var"))
        values = np.random.uniform(0.5, 1.5, param.shape) if positive else np.random.normal(0, spread, param.shape)
        param.set_data(mx.nd.array(values))
    return block


def answer(block, x, plain):
    """What the block makes of a NumPy array, with plain operators or without."""
    with fast.plain_operators() if plain else contextlib.nullcontext():
        return block(mx.nd.array(x)).asnumpy()


def assert_gradient_is_the_finite_difference(block, x):
    """Along a random direction gradients agree with central differences; in float64, so that these are exact."""
    found, measured = directional(block, x)
    assert measured == pytest.approx(found, rel=1e-5, abs=1e-5)
