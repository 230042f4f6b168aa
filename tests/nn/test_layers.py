"""Activations by name against their formulas, pooling against Gluon's, and drop path."""

import math

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluon_attn.nn.layers import ACTIVATIONS, DropPath, GlobalAvgPool, get_activation, set_drop_path
from gluon_attn.utils.errors import UserError

ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017

FORMULAS = {
    "relu": lambda x: max(x, 0),
    "relu6": lambda x: min(max(x, 0), 6),
    "prelu": lambda x: x if x > 0 else x / 4,  # the slope that learning starts at
    "elu": lambda x: x if x > 0 else math.expm1(x),
    "selu": lambda x: SCALE * (x if x > 0 else ALPHA * math.expm1(x)),
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "hard_swish": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "silu": lambda x: x / (1 + math.exp(-x)),
    "swish": lambda x: x / (1 + math.exp(-x)),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
}


@pytest.mark.parametrize("name", ACTIVATIONS.names())
def test_value(name):
    x = np.linspace(-8, 8, 48, dtype="float32").reshape(2, 4, 3, 2)
    block = get_activation(name)
    block.initialize()
    wanted = np.vectorize(FORMULAS[name], otypes=["float64"])(x.astype("float64"))
    np.testing.assert_allclose(block(mx.nd.array(x)).asnumpy(), wanted, rtol=1e-5, atol=1e-6)


def test_every_call_makes_a_new_block():
    first, second = get_activation("prelu"), get_activation("prelu")
    assert first is not second
    assert [p.shape for p in first.collect_params().values()] == [(1,)]
    assert not set(first.collect_params()) & set(second.collect_params())


def test_unknown_name():
    with pytest.raises(UserError, match=r"unknown activation 'rellu'; did you mean relu or "):
        get_activation("rellu")


@pytest.mark.parametrize("shape", [(2, 5, 7, 3), (1, 3, 1, 1)])
def test_global_average_has_gluons_values_and_gradients(shape):
    x = mx.nd.random.normal(shape=shape)
    weight = mx.nd.random.normal(shape=(*shape[:2], 1, 1))
    results = []
    for layer in (GlobalAvgPool(), gluon.nn.GlobalAvgPool2D()):
        layer.hybridize()
        x.attach_grad()
        with autograd.record():
            out = layer(x)
            loss = (out * weight).sum()
        loss.backward()
        results.append((out.asnumpy(), x.grad.asnumpy()))
    for ours, theirs in zip(*results, strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def trained(block, x):
    with mx.autograd.record():
        return block(x).asnumpy()


@pytest.mark.parametrize("hybrid", [False, True])
def test_whole_images_are_dropped(hybrid):
    block, x = DropPath(0.25), mx.nd.random.uniform(1, 2, shape=(400, 3, 2, 2))
    block.hybridize(hybrid)
    assert (block(x).asnumpy() == x.asnumpy()).all()
    share = trained(block, x) / x.asnumpy()
    assert np.allclose(share, share[:, :1, :1, :1])
    assert set(np.round(share[:, 0, 0, 0], 5)) == {0, np.float32(1.33333)}
    assert abs((share[:, 0, 0, 0] == 0).mean() - 0.25) < 0.1  # four and a half deviations


def test_another_rate_for_a_hybridized_network():
    net, x = mx.gluon.nn.HybridSequential(), mx.nd.ones((64, 1, 1, 1))
    net.add(DropPath(), DropPath())
    net.hybridize()
    assert (trained(net, x) == 1).all()
    set_drop_path(net, 0.5)
    assert {0.0, 4.0} == set(trained(net, x).ravel())
    set_drop_path(net, 0.0)
    assert (trained(net, x) == 1).all()
