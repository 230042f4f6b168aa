"""Batch norm with compiled operators, group norm and channel norm, against MXNet's own and their formulas."""

import contextlib

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.nn import kernels
from gluon_attn.nn.norm import BatchNorm, ChannelNorm, GroupNorm

from .test_kernels import near, needs_compiler, passed, uses_kernels

LIMIT = {"float64": 1e-6, "float32": 1e-5}  # of running statistics: MXNet holds their momentum in float32


def norm(channels, dtype="float64", **options):
    block = BatchNorm(in_channels=channels, **options)
    block.initialize()
    block.cast(dtype)
    for name, parameter in block.collect_params().items():
        if dtype == "float64":
            parameter.cast(dtype)
        if name.endswith(("gamma", "beta")) and parameter.grad_req != "null":
            parameter.set_data(mx.nd.random.uniform(0.5, 1.5, parameter.shape).astype(dtype))
    return block


def trained(block, batches, compiled):
    """What a few training passes leave: running mean and variance; then the outputs of an evaluation."""
    block.running_mean.set_data(mx.nd.zeros_like(block.running_mean.data()))
    block.running_var.set_data(mx.nd.ones_like(block.running_var.data()))
    for x in batches:
        passed(block, [x], compiled)
    mx.nd.waitall()
    with kernels.compiled_operators() if compiled else contextlib.nullcontext():
        out = block(batches[0])
    return [array.asnumpy() for array in (block.running_mean.data(), block.running_var.data(), out)]


@needs_compiler
@pytest.mark.parametrize("dtype", LIMIT)
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", [(3, 4, 9, 7), (8, 5, 1, 1), (4, 16, 16, 16)], ids=str)
def test_training_and_evaluation(shape, affine, dtype):
    block = norm(shape[1], dtype, center=affine, scale=affine)
    batches = [mx.nd.random.normal(1, 2, shape=shape).astype(dtype) for _ in range(3)]
    assert uses_kernels(block, batches[0])
    near(passed(block, batches[:1], True), passed(block, batches[:1], False), dtype)
    for got, wanted in zip(trained(block, batches, True), trained(block, batches, False), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=LIMIT[dtype], atol=LIMIT[dtype] * np.abs(wanted).max())


@needs_compiler
def test_evaluation_moves_nothing():
    block, x = norm(4), mx.nd.random.normal(3, 2, shape=(2, 4, 5, 5)).astype("float64")
    trained(block, [x], True)
    before = [block.running_mean.data().asnumpy(), block.running_var.data().asnumpy()]
    with kernels.compiled_operators():
        for _ in range(3):
            block(x).wait_to_read()
    np.testing.assert_array_equal(before, [block.running_mean.data().asnumpy(), block.running_var.data().asnumpy()])


@needs_compiler
def test_maps_of_one_value_still_move_the_variance():
    """Their mean is the running mean of a new norm, but their variance is not the running variance."""
    block, x = norm(2), mx.nd.zeros((2, 2, 3, 3), dtype="float64")
    got = trained(block, [x], True)
    np.testing.assert_allclose(got[1], 0.9, rtol=1e-6)
    np.testing.assert_allclose(got[0], 0)


@needs_compiler
def test_far_from_zero_the_variance_stays_right():
    """Means of 1000 deviations: float32 keeps four digits of the deviation of what it is given."""
    block, x = norm(3, "float32"), mx.nd.random.normal(1000, 1, shape=(8, 3, 16, 16))
    block.hybridize()
    with kernels.compiled_operators(), mx.autograd.record():
        out = block(x)
    np.testing.assert_allclose(x.asnumpy().astype("float64").std((0, 2, 3)).mean() / 1, 1, rtol=0.1)
    beta, gamma = block.beta.data().asnumpy(), block.gamma.data().asnumpy()
    normal = (out.asnumpy().transpose(0, 2, 3, 1) - beta) / gamma
    np.testing.assert_allclose(normal.std((0, 1, 2)), 1, rtol=1e-3)


@needs_compiler
@pytest.mark.parametrize("how", ["global", "add"])
def test_what_is_left_to_mxnet(how):
    """A frozen norm, and one whose gradients add up, which a compiled operator would write."""
    block = norm(3, use_global_stats=how == "global")
    if how == "add":
        block.collect_params().setattr("grad_req", "add")
    assert not uses_kernels(block, 1)


@needs_compiler
def test_a_convolution_of_single_pixels_before_it_changes_nothing():
    """MXNet's norm of (2,C) would take over the layout of an earlier one of (2,C,1,1), and crash."""
    row = mx.gluon.nn.HybridSequential()
    row.add(mx.gluon.nn.Conv2D(48, 1, in_channels=48), mx.gluon.nn.BatchNorm(in_channels=48))
    row.initialize()
    row.hybridize()
    row(mx.nd.random.normal(shape=(2, 48, 1, 1))).wait_to_read()
    block, x = norm(48, "float32"), mx.nd.random.normal(shape=(3, 48, 5, 5))
    with kernels.compiled_operators():
        got = block(x).asnumpy()
    near([got], [block(x).asnumpy()], "float32")


def test_group_norm_is_mxnets_and_keeps_small_variances():
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


@pytest.mark.parametrize("shape", [(2, 6, 1, 1), (1, 1, 1, 1)], ids=str)
def test_channel_norm(shape):
    block = ChannelNorm(shape[1])
    block.initialize()
    gamma, beta = np.random.normal(size=(2, 1, shape[1], 1, 1)).astype("float32")
    block.gamma.set_data(mx.nd.array(gamma))
    block.beta.set_data(mx.nd.array(beta))
    x = np.random.normal(size=shape).astype("float32")
    wanted = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5) * gamma + beta
    np.testing.assert_allclose(block(mx.nd.array(x)).asnumpy(), wanted, rtol=1e-5, atol=1e-6)
