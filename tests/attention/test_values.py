"""Each attention against its paper's formula, written here in NumPy in float64."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_attention
from gluon_attn.attention.eca import eca_kernel


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def mean(x):
    return x.mean((2, 3), keepdims=True)


class Weights:
    """A block's weights in float64, and the layers that use them. train: norms take the statistics of the batch."""

    def __init__(self, block, train):
        self.train = train
        self.all = {n: p.data().asnumpy().astype("float64") for n, p in block._collect_params_with_prefix().items()}

    def conv(self, name, x):
        """A convolution with square kernel, stride 1, zero padding that keeps the size."""
        weight = self.all[f"{name}.weight"]
        size, (height, width) = weight.shape[2], x.shape[2:]
        padded = np.pad(x, ((0, 0), (0, 0), (size // 2,) * 2, (size // 2,) * 2))
        out = 0
        for i in range(size):
            for j in range(size):
                window = padded[:, :, i : i + height, j : j + width]
                out = out + np.einsum("nchw,oc->nohw", window, weight[:, :, i, j])
        return out + self.all.get(f"{name}.bias", np.zeros(1)).reshape(1, -1, 1, 1)

    def norm(self, name, x):
        gamma, beta, centre, variance = (
            self.all[f"{name}.{part}"].reshape(1, -1, 1, 1) for part in ("gamma", "beta", "running_mean", "running_var")
        )
        if self.train:
            centre, variance = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
        return gamma * (x - centre) / np.sqrt(variance + 1e-5) + beta


def se(w, x):
    return x * sigmoid(w.conv("mlp.2", np.maximum(w.conv("mlp.0", mean(x)), 0)))


def eca(w, x):
    weight = w.all["conv.weight"].reshape(-1)
    half, line = len(weight) // 2, mean(x)[:, :, 0, 0]
    padded = np.pad(line, ((0, 0), (half, half)))
    logits = sum(weight[i] * padded[:, i : i + line.shape[1]] for i in range(len(weight)))
    return x * sigmoid(logits)[:, :, None, None]


def cbam(w, x):
    def perceptron(pooled):
        return w.conv("mlp.2", np.maximum(w.conv("mlp.0", pooled), 0))

    z = x * sigmoid(perceptron(mean(x)) + perceptron(x.max((2, 3), keepdims=True)))
    maps = np.concatenate([z.max(1, keepdims=True), z.mean(1, keepdims=True)], 1)
    return z * sigmoid(w.norm("norm", w.conv("conv", maps)))


def cha_atac(w, x, relu=True, global_pool=False):
    names = ["mlp.0", "mlp.1", "mlp.3", "mlp.4"] if relu else [f"mlp.{i}" for i in range(4)]
    hidden = w.norm(names[1], w.conv(names[0], mean(x) if global_pool else x))
    hidden = np.maximum(hidden, 0) if relu else hidden
    return x * sigmoid(w.norm(names[3], w.conv(names[2], hidden)))


#: (name, channels, options, the formula)
CASES = [
    ("identity", 5, {}, lambda w, x: x),
    ("se", 16, {}, se),
    ("se", 32, {"reduction": 4}, se),
    ("se", 6, {"reduction": 4, "bias": False}, se),
    ("eca", 16, {}, eca),
    ("eca", 40, {"kernel_size": 9}, eca),
    ("eca", 128, {"gamma": 1, "b": 3}, eca),
    ("cbam", 16, {}, cbam),
    ("cbam", 12, {"reduction": 3, "kernel_size": 3, "bias": False}, cbam),
    ("cha_atac", 8, {}, cha_atac),
    ("cha_atac", 12, {"reduction": 4, "relu": False}, lambda w, x: cha_atac(w, x, relu=False)),
    ("cha_atac", 8, {"global_pool": True}, lambda w, x: cha_atac(w, x, global_pool=True)),
    ("cha_atac", 8, {"global_pool": True, "relu": False}, lambda w, x: cha_atac(w, x, False, True)),
]


def draw(block):
    """Random weights everywhere, running statistics included."""
    block.initialize()
    for name, param in block.collect_params().items():
        positive = name.endswith(("gamma", "running_var"))
        values = np.random.uniform(0.5, 1.5, param.shape) if positive else np.random.normal(0, 0.5, param.shape)
        param.set_data(mx.nd.array(values))


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize(("name", "channels", "options", "formula"), CASES)
def test_value_is_the_papers(name, channels, options, formula, train):
    block = get_attention(name, channels, **options)
    draw(block)
    x = np.random.normal(size=(3, channels, 6, 5)).astype("float32")
    wanted = formula(Weights(block, train), x.astype("float64"))
    with mx.autograd.record(train_mode=train):
        got = block(mx.nd.array(x)).asnumpy()
    # the longest chain is a dozen float32 operations, each good to 6e-8
    assert np.abs(got - wanted).max() <= 2e-6 * np.abs(wanted).max()
    assert name == "identity" or np.abs(wanted - x).max() > 0.1


@pytest.mark.parametrize(
    ("channels", "kernel"),
    [(16, 3), (32, 3), (64, 3), (128, 5), (256, 5), (512, 5), (1024, 5), (2048, 7), (1, 1), (2, 1), (8, 3)],
)
def test_eca_kernel_formula(channels, kernel):
    """|(log2 C + 1) / 2| cut to a whole number, plus 1 when even; 16 to 32 channels: 2.5 and 3."""
    assert eca_kernel(channels) == kernel
    assert get_attention("eca", channels).conv.weight.shape == (1, 1, kernel)


@pytest.mark.parametrize(("gamma", "b", "kernel"), [(1, 1, 7), (1, 3, 9), (2, 0, 3), (4, 1, 1), (2, -9, 1)])
def test_eca_kernel_with_other_constants(gamma, b, kernel):
    assert eca_kernel(64, gamma, b) == kernel


def test_hidden_widths_follow_the_reduction():
    assert get_attention("se", 64).mlp[0].weight.shape == (4, 64, 1, 1)
    assert get_attention("se", 8).mlp[0].weight.shape == (1, 8, 1, 1)
    assert get_attention("cbam", 64, reduction=2).mlp[0].weight.shape == (32, 64, 1, 1)
    assert get_attention("cha_atac", 64).mlp[0].weight.shape == (32, 64, 1, 1)
