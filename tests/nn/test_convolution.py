"""Convolutions with compiled operators, against MXNet's own."""

import json

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

from gluon_attn.nn import kernels
from gluon_attn.nn.cell_convs import FactorizedReduce
from gluon_attn.nn.cell_ops import cell_op
from gluon_attn.nn.convolution import DepthwiseConv, GlobalDepthwiseConv, GroupedConv, PointwiseConv
from gluon_attn.nn.one_to_many_conv import OneToManyConv

from .test_kernels import near, needs_compiler, passed, uses_kernels

WINDOWS = [(3, 1, 1), (3, 2, 1), (5, 1, 1), (5, 1, 2), (5, 2, 2), (7, 1, 2), (3, 3, 3)]  # kernel, stride, dilation
BRANCH = {"kernel": (3,), "stride": 1, "dilate": (1,)}  # the window of a single separable convolution
GROUPED = [  # channels, kernel size, channels of the input; groups, stride, dilation
    (1, 7, 2, {}),
    (1, 3, 9, {}),
    (4, 3, 4, {"dilation": 4}),
    (8, 9, 16, {"groups": 4}),
    (8, 5, 6, {"groups": 2, "stride": 2}),
    (6, 7, 12, {"groups": 3, "stride": 2, "dilation": 2}),
]
SIZES = [(2, 5, 19, 33), (3, 4, 8, 7), (1, 2, 1, 1)]


def drawn(block, dtype="float64"):
    block.initialize(mx.init.Normal(0.3))
    block.cast(dtype)
    return block


def agree(block, shape, dtype="float64"):
    """Compiled or not: the same outputs and gradients of input and weights."""
    x = mx.nd.random.normal(shape=shape).astype(dtype)
    assert uses_kernels(drawn(block, dtype), x)
    near(passed(block, [x], True), passed(block, [x], False), dtype)


@needs_compiler
@pytest.mark.parametrize("shape", SIZES, ids=str)
@pytest.mark.parametrize(("kernel", "stride", "dilation"), WINDOWS)
def test_depthwise(kernel, stride, dilation, shape):
    agree(DepthwiseConv(shape[1], kernel, stride=stride, dilation=dilation), shape)


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_depthwise_in_both_types(dtype):
    agree(DepthwiseConv(16, 5, dilation=2), (4, 16, 16, 16), dtype)


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(2, 9, 9, 11), (3, 5, 1, 1), (1, 1, 4, 20), (2, 16, 16, 16)], ids=str)
def test_pointwise(shape, bias, dtype):
    agree(PointwiseConv(7, shape[1], use_bias=bias), shape, dtype)


@needs_compiler
def test_large_pointwise_is_left_to_onednn():
    assert not uses_kernels(drawn(PointwiseConv(512, 256)), 1)


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [(19, 33), (8, 7), (1, 1)], ids=str)
@pytest.mark.parametrize(("channels", "kernel", "in_channels", "options"), GROUPED)
def test_grouped(channels, kernel, in_channels, options, size, bias, dtype):
    """More samples than parts whose gradients of weights are summed."""
    agree(GroupedConv(channels, kernel, in_channels, use_bias=bias, **options), (9, in_channels, *size), dtype)


@pytest.mark.parametrize(("channels", "kernel", "groups"), [(2, 11, 1), (2, 1, 1), (10, 3, 2)])
def test_grouped_convolutions_left_to_onednn(channels, kernel, groups):
    assert not uses_kernels(drawn(GroupedConv(channels, kernel, 4, groups=groups)), 1)


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("channels", "kernel"), [(16, 23), (5, 3), (19, 9)])
@pytest.mark.parametrize("size", [(8, 8), (5, 11), (1, 1), (13, 30)], ids=str)
def test_one_to_many(size, channels, kernel, bias, dtype):
    """Kernels larger and smaller than the map; channels that fill a vector, and that do not."""
    agree(OneToManyConv(channels, kernel, use_bias=bias), (3, 1, *size), dtype)


@needs_compiler
def test_whole_map():
    agree(GlobalDepthwiseConv(5, (9, 7)), (3, 5, 9, 7))


@needs_compiler
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("name", ["sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "dil_conv_3x3", "dil_conv_5x5"])
def test_separable(name, stride):
    """ReLU and both convolutions in one operator; 6 channels are one tile of rows and a rest."""
    agree(cell_op(name, 6, stride=stride), (3, 6, 11, 18))


@needs_compiler
@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (2, 3, 2, 5)], ids=str)
def test_separable_on_maps_smaller_than_its_window(shape):
    agree(cell_op("sep_conv_5x5", 3), shape)


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("stride", [1, 2])
def test_separable_branches_of_one_map(stride, dtype):
    """As one operator they give the outputs of single ones to the bit, and the sum of their gradients."""
    windows = [(3, 1), (5, 1), (5, 2), (7, 3)]  # kernel, dilation
    shapes = [shape for kernel, _ in windows for shape in ((5, 1, kernel, kernel), (6, 5, 1, 1))]
    x, *weights = (mx.nd.random.normal(shape=shape).astype(dtype) for shape in ((9, 5, 19, 33), *shapes))
    for array in (x, *weights):
        array.attach_grad()

    def run(branches, operands):
        kernels_, dilations = zip(*branches, strict=True)
        return mx.nd.gluon_attn_separable(
            x, *operands, channels=6, stride=stride, kernel=kernels_, dilate=dilations
        )  # fmt: skip

    def gradients(call):
        with mx.autograd.record():
            maps = call()
        heads = [mx.nd.cos(mx.nd.arange(y.size)).reshape(y.shape).astype(dtype) * i for i, y in enumerate(maps, 1)]
        mx.autograd.backward(maps, heads)
        return [y.asnumpy() for y in maps], [array.grad.asnumpy() for array in (x, *weights)]

    outs, joined = gradients(lambda: run(windows, weights))
    alone_outs, alone = gradients(
        lambda: [run([window], weights[2 * i : 2 * i + 2]) for i, window in enumerate(windows)]
    )
    assert len(outs) == 4
    assert all(np.array_equal(*pair) for pair in zip(outs, alone_outs, strict=True))
    assert all(np.array_equal(*pair) for pair in zip(joined[1:], alone[1:], strict=True))
    near(joined[:1], alone[:1], dtype)


@needs_compiler
@pytest.mark.parametrize("shape", [(9, 5, 19, 33), (3, 6, 8, 8), (1, 2, 1, 1), (2, 3, 2, 5)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_factorized_reduction(dtype, shape):
    agree(FactorizedReduce(shape[1], 14), shape, dtype)


@needs_compiler
def test_imperative_is_hybrid():
    block, x = drawn(cell_op("dil_conv_3x3", 4)), mx.nd.random.normal(shape=(2, 4, 8, 8)).astype("float64")
    with kernels.compiled_operators(), mx.autograd.train_mode():
        imperative = block(x).asnumpy()
        block.hybridize()
        np.testing.assert_array_equal(block(x).asnumpy(), imperative)


@needs_compiler
@pytest.mark.parametrize("block", [lambda: PointwiseConv(4, 4), lambda: cell_op("sep_conv_3x3", 4)])
def test_gradients_that_add_up_are_left_to_mxnet(block):
    """A compiled operator writes the gradient of its weight."""
    block = drawn(block())
    block.collect_params().setattr("grad_req", "add")
    assert not uses_kernels(block, 1)


def test_parameters_are_those_of_gluons_layer():
    ours, theirs = drawn(DepthwiseConv(4, 3)), nn.Conv2D(4, 3, groups=4, use_bias=False, in_channels=4)
    assert list(ours._collect_params_with_prefix()) == list(theirs._collect_params_with_prefix())
    assert ours.weight.shape == theirs.weight.shape
    assert ours.name.startswith("conv")


@needs_compiler
@pytest.mark.parametrize("kind", ["grouped", "pointwise", "separable", "halving"])
def test_inputs_only_leaves_the_gradients_of_weights(kind):
    x, narrow, wide = (mx.nd.random.normal(shape=shape) for shape in ((3, 5, 9, 8), (5, 1, 3, 3), (6, 5, 1, 1)))
    window = {"kernel": 3, "stride": 1, "dilate": 1, "channels": 5, "groups": 5, "bias": 0}
    operator, weights, options = {
        "grouped": (mx.nd.gluon_attn_grouped, [narrow], window),
        "pointwise": (mx.nd.gluon_attn_pointwise, [wide], {"channels": 6, "bias": 0}),
        "separable": (mx.nd.gluon_attn_separable, [narrow, wide], {"channels": 6, **BRANCH}),
        "halving": (mx.nd.gluon_attn_halving, [wide, wide.copy()], {"channels": 12}),
    }[kind]

    def gradients():
        with mx.autograd.record():
            y = operator(x, *weights, **options)
        y.backward()
        return [array.grad.asnumpy() for array in (x, *weights)]

    for array in (x, *weights):
        array.attach_grad()
    usual = gradients()
    with kernels.inputs_only():  # there are none outside their context
        assert all(np.array_equal(*pair) for pair in zip(gradients(), usual, strict=True))
    for array in weights:
        array.grad[:] = 7
    with kernels.compiled_operators(), kernels.inputs_only():
        alone = gradients()
    np.testing.assert_array_equal(alone[0], usual[0])
    assert all((gradient == 7).all() for gradient in alone[1:])
    assert all(np.array_equal(*pair) for pair in zip(gradients(), usual, strict=True))


@needs_compiler
def test_wide_separable_convolutions_take_onednns_pointwise_ones():
    """The compiled operator is six times slower at 2048 channels."""
    names = {}
    for channels in (128, 136):
        block = cell_op("sep_conv_3x3", channels)
        block.initialize()
        with kernels.compiled_operators():
            names[channels] = {node["op"] for node in json.loads(block(mx.sym.var("data")).tojson())["nodes"]}
    assert "gluon_attn_separable" in names[128]
    assert {"gluon_attn_grouped", "Convolution"} <= names[136]
    assert "gluon_attn_separable" not in names[136]
