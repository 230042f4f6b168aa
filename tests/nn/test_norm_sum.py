"""Weighted sums with fused batch norms: the numbers of the separate layers, and which norms are fused."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import HybridBlock, nn

from gluon_attn.nn import kernels
from gluon_attn.nn.cell_convs import FactorizedReduce, ReLUConvBN, SepConv
from gluon_attn.nn.norm import BatchNorm
from gluon_attn.nn.norm_sum import NormSequential, weighted_norm_sum
from gluon_attn.nn.sync_norm import synchronize

from .test_kernels import near, needs_compiler, passed


class Sum(HybridBlock):
    """The weighted sum of some operations of x, whose weights are its second input."""

    def __init__(self, *operations):
        super().__init__()
        with self.name_scope():
            self.operations = nn.HybridSequential()
            self.operations.add(*operations)

    def hybrid_forward(self, F, x, weights):
        return weighted_norm_sum(F, list(self.operations._children.values()), x, weights)


def row(*layers):
    block = NormSequential()
    block.add(*layers)
    return block


def norm(**options):
    return BatchNorm(**{"center": False, "scale": False, "in_channels": 4, **options})


def drawn(block, dtype="float64"):
    block.initialize(mx.init.Normal(0.5))
    block.cast(dtype)
    for parameter in block.collect_params().values():
        parameter.cast(dtype)
    return block


def operators(block):
    with kernels.compiled_operators():
        return block(mx.sym.var("x"), mx.sym.var("weights")).tojson()


@needs_compiler
@pytest.mark.parametrize("stride", [1, 2])
def test_outputs_gradients_and_running_statistics_are_those_of_the_layers(stride):
    reduce = FactorizedReduce(4, 4, affine=False) if stride == 2 else row(nn.AvgPool2D(3, 1, 1), norm())
    operations = [
        SepConv(4, 3, stride=stride, affine=False), reduce, nn.MaxPool2D(3, stride, 1),
        ReLUConvBN(4, 4, stride=stride, affine=False),
    ]  # fmt: skip
    block = drawn(Sum(*operations))
    inputs = [
        mx.nd.random.normal(shape=(3, 4, 8, 6)).astype("float64"),
        mx.nd.array([0.3, -1, 2, 0.5], dtype="float64"),
    ]
    running = {name: p for name, p in block.collect_params().items() if "running" in name}
    start = {name: p.data().copy() for name, p in running.items()}
    found = []
    for compiled in (True, False):
        for name, value in start.items():
            running[name].set_data(value)
        found.append([*passed(block, inputs, compiled), *(p.data().asnumpy() for p in running.values())])
    for got, wanted in zip(*found, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-6 * max(1, np.abs(wanted).max()))
    assert any((start[name] != p.data()).asnumpy().any() for name, p in running.items())


@needs_compiler
@pytest.mark.parametrize("hybrid", [False, True], ids=["imperative", "hybrid"])
def test_imperative_is_hybrid(hybrid):
    block = drawn(Sum(row(nn.Activation("relu"), norm()), row(nn.Activation("tanh"), norm())), "float32")
    block.hybridize(hybrid)
    x, weights = mx.nd.random.normal(shape=(2, 4, 5, 5)), mx.nd.array([1.0, 2.0])
    with kernels.compiled_operators(), mx.autograd.train_mode():
        got = block(x, weights).asnumpy()
    block.hybridize(hybrid)  # drops the compiled graph
    with mx.autograd.train_mode():
        near([got], [block(x, weights).asnumpy()], "float32")


@needs_compiler
def test_a_fused_norm_is_no_operator_of_its_own():
    graph = operators(drawn(Sum(row(nn.Activation("relu"), norm()))))
    assert "gluon_attn_weighted_sum" in graph
    assert "gluon_attn_batch_norm" not in graph


@needs_compiler
@pytest.mark.parametrize(
    ("options", "own"),
    [
        ({"center": True}, "gluon_attn_batch_norm"),
        ({"scale": True}, "gluon_attn_batch_norm"),
        ({"momentum": 0.5}, "gluon_attn_batch_norm"),
        ({"epsilon": 0.1}, "gluon_attn_batch_norm"),
        ({"use_global_stats": True}, '"op": "BatchNorm"'),
    ],
    ids=str,
)
def test_norms_that_are_not_fused(options, own):
    graph = operators(drawn(Sum(row(nn.Activation("relu"), norm(**options)))))
    assert own in graph
    assert '"normalized": "0"' in graph


@needs_compiler
def test_frozen_shifts_are_still_shifts():
    block = drawn(Sum(row(nn.Activation("relu"), norm(center=True))))
    block.collect_params(".*beta").setattr("grad_req", "null")
    assert '"normalized": "0"' in operators(block)


@needs_compiler
def test_a_synchronized_norm_is_not_fused():
    block = drawn(Sum(row(nn.Activation("relu"), norm())), "float32")
    assert synchronize(block, lambda name, array: array) == 1
    assert '"normalized": "0"' in operators(block)


def test_without_compiled_operators_it_is_the_sum_of_the_layers():
    first, second = row(nn.Activation("relu"), norm()), nn.Activation("tanh")
    block, x = drawn(Sum(first, second), "float32"), mx.nd.random.normal(shape=(2, 4, 5, 5))
    got = block(x, mx.nd.array([2.0, 3.0]))
    np.testing.assert_allclose(got.asnumpy(), (2 * first(x) + 3 * second(x)).asnumpy(), rtol=1e-5, atol=1e-6)
