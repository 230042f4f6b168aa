"""Operations of searched cells, against NumPy."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

from gluon_attn.nn.cell_ops import CELL_OPS, cell_op
from gluon_attn.utils.errors import UserError

SCORES = ("channel_score", "spatial_score")
CONVOLUTIONS = [name for name in CELL_OPS.names() if "conv" in name]


def made(name, **options):
    block = cell_op(name, 6, **options)
    block.initialize(mx.init.Normal(0.5))
    return block


def image(height=7, width=5):
    return mx.nd.random.normal(shape=(2, 6, height, width))


@pytest.mark.parametrize("name", CELL_OPS.names())
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(8, 6), (7, 5), (1, 1)])
def test_size_and_hybrid(name, stride, size):
    """All operations of one stride give one size, so that a node can add them up."""
    if name in SCORES and stride == 2:
        return
    block, x = made(name, stride=stride), image(*size)
    y = block(x)
    assert y.shape == (2, 6, *(-(-side // stride) for side in size))
    block.hybridize()
    np.testing.assert_allclose(block(x).asnumpy(), y.asnumpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [*CONVOLUTIONS, "skip_connect"])
@pytest.mark.parametrize("affine", [False, True])
def test_affine_is_of_every_norm(name, affine):
    params = made(name, stride=2, affine=affine).collect_params()
    scales = [p for n, p in params.items() if n.endswith(("gamma", "beta"))]
    assert scales
    assert {p.grad_req for p in scales} == {"write" if affine else "null"}


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("name", CELL_OPS.names())
@pytest.mark.parametrize("stride", [1, 2])
def test_gradients_between_convolutions(name, stride, train):
    """In a hybridized network, where oneDNN hands layouts of its own from layer to layer."""
    if name in SCORES and stride == 2:
        return
    net = nn.HybridSequential()
    net.add(nn.Conv2D(8, 3, in_channels=3), cell_op(name, 8, stride=stride), nn.Conv2D(8, 1, in_channels=8))
    net.initialize(mx.init.Normal(0.5))
    net.hybridize()
    x = mx.nd.random.normal(shape=(2, 3, 16, 14))
    x.attach_grad()
    with mx.autograd.record(train_mode=train):
        y = net(x)
    y.backward(train_mode=train)
    assert np.isfinite(x.grad.asnumpy()).all()


def test_scores_by_their_formulas():
    x = image()
    values = x.asnumpy()
    block = made("channel_score")
    block.fc.bias.set_data(mx.nd.random.normal(shape=6))
    weight, bias = block.fc.weight.data().asnumpy()[:, :, 0, 0], block.fc.bias.data().asnumpy()
    pooled = np.concatenate([values.mean((2, 3)), values.max((2, 3))], 1)
    wanted = (pooled @ weight.T + bias)[:, :, None, None] + 0 * values
    np.testing.assert_allclose(block(x).asnumpy(), wanted, rtol=1e-5, atol=1e-5)
    block = made("spatial_score")
    high, mean = block.conv.weight.data().asnumpy().reshape(2)
    wanted = (high * values.max(1, keepdims=True) + mean * values.mean(1, keepdims=True)) + 0 * values
    np.testing.assert_allclose(block(x).asnumpy(), wanted, rtol=1e-5, atol=1e-5)


def test_pools():
    x = image()
    padded = np.pad(x.asnumpy(), ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=np.nan)
    windows = np.stack([padded[:, :, i : i + 7, j : j + 5] for i in range(3) for j in range(3)])
    np.testing.assert_allclose(made("avg_pool_3x3")(x).asnumpy(), np.nanmean(windows, 0), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(made("max_pool_3x3")(x).asnumpy(), np.nanmax(windows, 0))
    assert (made("skip_connect")(x).asnumpy() == x.asnumpy()).all()
    assert (made("none")(x).asnumpy() == 0).all()


def test_refused():
    with pytest.raises(UserError, match="unknown operation 'sep_conv_9x9'; did you mean"):
        cell_op("sep_conv_9x9", 6)
    with pytest.raises(UserError, match="a score keeps the spatial size, got stride 2"):
        cell_op("channel_score", 6, stride=2)
    with pytest.raises(UserError, match="an even number of channels, got 5"):
        cell_op("skip_connect", 5, stride=2)
