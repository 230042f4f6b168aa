"""The searched cell, ECA without sharing, and the options of CBAM and BAM that references have, in NumPy."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_attention
from gluon_attn.utils.errors import UserError


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def mean(x):
    return x.mean((2, 3), keepdims=True)


class Layers:
    """Gluon's layers inside a block as functions of NumPy arrays, in evaluation mode."""

    def __init__(self, block):
        self.block = block

    def __call__(self, path, values):
        layer = self.block
        for name in path.split("."):
            layer = layer._children[name]
        return layer(mx.nd.array(values)).asnumpy()


def made(name, **options):
    """(block with random weights, its layers, an input)."""
    block = get_attention(name, 16, **options)
    block.initialize(mx.init.Normal(0.4))
    for key, param in block.collect_params().items():
        if key.endswith(("bias", "beta", "running_mean")):
            param.set_data(mx.nd.random.normal(0, 0.3, param.shape))
    return block, Layers(block), mx.nd.random.normal(shape=(2, 16, 6, 5))


def near(got, wanted):
    np.testing.assert_allclose(got.asnumpy(), wanted, rtol=2e-4, atol=2e-5)


def test_a_cell_adds_its_nodes_up():
    """skip + relu_conv_bn is node 2, channel score of it + spatial score of x is node 3."""
    att = [["skip_connect", 0], ["relu_conv_bn_1x1", 1], ["channel_score", 2], ["spatial_score", 0]]
    block, w, x = made("anas", genotype={"att": att})
    v = x.asnumpy().astype("float64")
    first = v + w("ops.1.2", w("ops.1.1", np.maximum(v, 0)))
    pooled = np.concatenate([mean(first), first.max((2, 3), keepdims=True)], 1)
    maps = np.concatenate([v.max(1, keepdims=True), v.mean(1, keepdims=True)], 1)
    second = w("ops.2.fc", pooled) + w("ops.3.conv", maps)
    near(block(x), v * sigmoid(first + second))


def test_the_published_cell_is_the_default():
    block, same = get_attention("anas", 16), get_attention("ANAS", 16, genotype="ATTENTION")
    assert str(block.ops) == str(same.ops)
    assert [type(op).__name__ for op in block.ops] == [
        "DilConv", "DilConv", "SepConv", "ChannelScore", "SpatialScore", "ChannelScore",
    ]  # fmt: skip


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_eca_ns_weighs_each_channels_neighbours(kernel_size):
    block, _, x = made("eca_ns", kernel_size=kernel_size)
    half = kernel_size // 2
    padded = np.pad(mean(x.asnumpy())[:, :, 0, 0], ((0, 0), (half, half)))
    weight = block.conv.weight.data().asnumpy()[:, 0]
    logits = sum(weight[:, j] * padded[:, j : j + 16] for j in range(kernel_size))
    near(block(x), x.asnumpy() * sigmoid(logits)[:, :, None, None])


POOLS = {
    "avg": mean,
    "max": lambda v: v.max((2, 3), keepdims=True),
    "lp": lambda v: np.sqrt((v**2).sum((2, 3), keepdims=True)),
    "lse": lambda v: np.log(np.exp(v).sum((2, 3), keepdims=True)),
}


@pytest.mark.parametrize("pools", [["avg"], ["lp"], ["lse"], ["max", "lse", "lp"]], ids=str)
@pytest.mark.parametrize("no_spatial", [False, True])
def test_pools_of_cbam(pools, no_spatial):
    block, w, x = made("cbam", reduction=4, pools=pools, no_spatial=no_spatial, conv_bias=True)
    v = x.asnumpy().astype("float64")
    logits = sum(w("mlp.2", np.maximum(w("mlp.0", POOLS[pool](v)), 0)) for pool in pools)
    z = v * sigmoid(logits)
    maps = np.concatenate([z.max(1, keepdims=True), z.mean(1, keepdims=True)], 1)
    near(block(x), z if no_spatial else z * sigmoid(w("norm", w("conv", maps))))


def test_pools_of_large_values_and_of_zeros():
    """exp(300) does not fit, and the root's slope at 0 is infinite."""
    block, _, x = made("cbam", pools=["lp", "lse"], no_spatial=True)
    assert np.isfinite(block(300 * x).asnumpy()).all()
    x = mx.nd.zeros_like(x)
    x.attach_grad()
    with mx.autograd.record():
        y = block(x).sum()
    y.backward()
    assert np.isfinite(x.grad.asnumpy()).all()


@pytest.mark.parametrize(
    "options", [{"layers": 2}, {"convs": 1}, {"pools": ["avg", "lp", "max"]}, {"norm": "space"}], ids=str
)
def test_branches_of_bam(options):
    block, w, x = made("bam", reduction=4, variant="reference", **options)
    v = x.asnumpy().astype("float64")

    def channel(values):
        for i in range(len(block.channel)):
            values = w(f"channel.{i}", values)
        return values

    logits = sum(channel(POOLS[pool](v)) for pool in options.get("pools", ["avg"]))
    space = w("space", v)
    near(block(x), v * (1 + sigmoid(logits * space)))
    kinds = [type(layer).__name__ for layer in block.channel]
    assert kinds.count("GroupedConv") == options.get("layers", 1) + 1
    assert kinds.count("BatchNorm") == (0 if options.get("norm") == "space" else options.get("layers", 1))
    assert [type(layer).__name__ for layer in block.space].count("GroupedConv") == options.get("convs", 2) + 2
    assert [type(layer).__name__ for layer in block.space].count("BatchNorm") == options.get("convs", 2) + 1


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("cbam", {"pools": []}, "pools must be a list of some of avg, max, lp, lse, got []"),
        ("cbam", {"pools": "avg"}, "pools must be a list of some of avg, max, lp, lse, got 'avg'"),
        ("cbam", {"pools": ["avg", "avg"]}, "pools must be a list of some of avg, max, lp, lse, got ['avg', 'avg']"),
        ("cbam", {"no_spatial": 1}, "no_spatial must be true or false, got 1"),
        ("cbam", {"conv_bias": None}, "conv_bias must be true or false, got None"),
        ("bam", {"pools": ["l2"]}, "pools must be a list of some of avg, max, lp, lse, got ['l2']"),
        ("bam", {"layers": 0}, "layers must be a whole number above 0, got 0"),
        ("bam", {"convs": 0}, "convs must be a whole number above 0, got 0"),
        ("eca_ns", {"kernel_size": 35}, "eca_ns takes a kernel_size of at most 33 here, got 35"),
    ],
)
def test_wrong_options(name, options, words):
    with pytest.raises(UserError) as caught:
        get_attention(name, 16, **options)
    assert str(caught.value) == words
