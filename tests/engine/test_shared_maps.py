"""What several compiled operators compute of one map: computed once, with the same numbers."""

import json
from collections import Counter

import mxnet as mx
import numpy as np
import pytest
from graphs import same_numbers
from mxnet.gluon import HybridBlock, nn

from gluon_attn.engine.graph_form import GraphForm, traced
from gluon_attn.engine.precision import computing
from gluon_attn.engine.shared_maps import share_maps
from gluon_attn.nn import kernels
from gluon_attn.nn.cell_ops import cell_op
from gluon_attn.nn.layers import MaxPool
from gluon_attn.nn.norm import BatchNorm

from ..nn.test_kernels import needs_compiler

X = mx.nd.random.normal(shape=(4, 8, 12, 12))


class Edges(HybridBlock):
    """The sum of some operations on relu(x)."""

    def __init__(self, *operations):
        super().__init__()
        for operation in operations:
            self.register_child(operation)

    def hybrid_forward(self, F, x):
        x = F.relu(x)
        first, *others = (operation(x) for operation in self._children.values())
        return sum(others, first)


def network(*operations):
    net = Edges(*operations)
    net.initialize(mx.init.Normal(0.3))
    with mx.autograd.train_mode():
        net(X)
    return net


def training_graph(net):
    with kernels.compiled_operators(), mx.autograd.train_mode():
        return traced(net)[1]


def operators(symbol):
    return Counter(node["op"] for node in json.loads(symbol.tojson())["nodes"])


def pooled():
    operation = nn.HybridSequential()
    operation.add(MaxPool(1), BatchNorm(in_channels=8))
    return operation


def mixed():
    names = ("sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "avg_pool_3x3", "dil_conv_5x5")
    return network(pooled(), *(cell_op(name, 8) for name in names), pooled())


@needs_compiler
@pytest.mark.filterwarnings("ignore:Cannot decide type")
def test_operations_of_one_map():
    net = mixed()
    plain = training_graph(net)
    shared = share_maps(plain)
    before, after = operators(plain), operators(shared)
    assert (before["gluon_attn_separable"], after["gluon_attn_separable"]) == (6, 3)  # the second ones read other maps
    assert (before["gluon_attn_max_pool"], after["gluon_attn_max_pool"]) == (2, 1)
    assert before["gluon_attn_batch_stats"] - after["gluon_attn_batch_stats"] == 1  # of the pooled map
    assert after["gluon_attn_batch_norm"] == before["gluon_attn_batch_norm"]  # each has weights of its own
    assert set(shared.list_arguments()) == set(plain.list_arguments())
    same_numbers(net, plain, shared, X)


@needs_compiler
def test_other_strides_and_widths_stay_apart():
    net = network(cell_op("dil_conv_3x3", 8, stride=2), cell_op("dil_conv_5x5", 8, stride=2))
    one = training_graph(net)
    assert operators(share_maps(one))["gluon_attn_separable"] == 1
    stride_1 = training_graph(network(cell_op("dil_conv_3x3", 8)))
    assert share_maps(stride_1) is stride_1
    both = mx.sym.Group([one, stride_1])
    assert operators(share_maps(both))["gluon_attn_separable"] == 2


@needs_compiler
def test_a_norm_that_is_used_twice_moves_its_statistics_twice():
    norm = BatchNorm(in_channels=8)
    net = network(norm, norm, MaxPool(1), MaxPool(1))
    assert operators(share_maps(training_graph(net)))["gluon_attn_batch_norm"] == 2


@needs_compiler
def test_a_form_trains_like_the_network():
    net = mixed()
    with kernels.compiled_operators():
        form = computing(net, "float32")
        assert isinstance(form, GraphForm)
        steps = []
        for call in (form, net):
            net.initialize(mx.init.One(), force_reinit=True)
            with mx.autograd.record():
                y = call(X)
            y.backward(mx.nd.cos(mx.nd.arange(y.size)).reshape(y.shape))
            steps.append([y.asnumpy(), *(p.grad().asnumpy() for p in net.collect_params().values() if p._grad)])
    for found, wanted in zip(*steps, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4 * max(1, abs(wanted).max()))
