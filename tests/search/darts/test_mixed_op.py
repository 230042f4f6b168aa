"""Mixed operations by hand, dropout on skip connections, partial channels."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.nn.cell_ops import Skip, Zero
from gluon_attn.nn.layers import set_drop_path
from gluon_attn.search.darts.cell_supernet import CellSupernet
from gluon_attn.search.darts.mixed_op import DroppedSkip, MixedOp
from gluon_attn.utils.errors import UserError


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("zero", [0, 1, 2, None])
def test_mixed_op_by_hand(hybrid, zero):
    layers, values = [Skip(), mx.gluon.nn.AvgPool2D(3, 1, 1, count_include_pad=False)], [2.0, 3.0]
    pooling = layers[1]
    if zero is not None:
        layers.insert(zero, Zero())
        values.insert(zero, 0.5)
    mixed = MixedOp()
    mixed.add(*layers)
    mixed.hybridize(hybrid)
    x, weights = mx.nd.random.uniform(shape=(2, 3, 4, 4)), mx.nd.array([values])
    weights.attach_grad()
    pooled = pooling(x)
    with mx.autograd.record():
        y = mixed(x, weights)
    y.backward()
    assert np.allclose(y.asnumpy(), (2 * x + 3 * pooled).asnumpy(), atol=1e-6)
    sums = [x.sum().asscalar(), pooled.sum().asscalar()]
    if zero is not None:
        sums.insert(zero, 0)
    assert np.allclose(weights.grad.asnumpy(), [sums], rtol=1e-5)


def test_skip_connections_have_dropout_in_training_only():
    block, x = DroppedSkip(), mx.nd.ones((4, 100))
    set_drop_path(block, 0.5, DroppedSkip)
    assert (block(x) == x).asnumpy().all()
    with mx.autograd.record():
        assert {0.0, 2.0} == set(block(x).asnumpy().ravel())


def test_partial_channels_bypass_the_mixed_op():
    """By hand: with skip connections only, an edge of stride 1 is a channel shuffle."""
    net = CellSupernet(3, channels=8, layers=3, nodes=1, operations=("skip_connect",), location="no_attention",
                       input_size=8, partial_channels=4)  # fmt: skip
    net.initialize(mx.init.Xavier())
    assert net.edges_normal.shape == (2,)
    net.edges_normal.set_data(mx.nd.zeros(2))
    edge, x = net.cells[0].edges[0], mx.nd.random.normal(shape=(2, 8, 8, 8))
    y = edge(x, mx.nd.ones((1, 1))).asnumpy()
    shuffled = x.asnumpy().reshape(2, 4, 2, 8, 8).transpose(0, 2, 1, 3, 4).reshape(2, 8, 8, 8)
    assert np.allclose(y, shuffled)


def test_partial_channels_must_divide_the_channels():
    with pytest.raises(UserError, match="option partial_channels 4 needs channels in multiples of 8, got 4"):
        CellSupernet(3, channels=4, layers=3, partial_channels=4)
