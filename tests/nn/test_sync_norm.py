"""The synchronized norm alone is a batch norm, and with others that of all images."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon
from mxnet.gluon import nn

from gluon_attn.nn.params import load_params, save_params
from gluon_attn.nn.sync_norm import SyncBatchNorm, synchronize
from gluon_attn.utils.seed import seed_all


def alone(name, array):
    return array


def network(**options):
    seed_all(5)
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3, in_channels=3), nn.BatchNorm(in_channels=4, **options), nn.Activation("relu"))
    net.add(nn.Conv2D(5, 3, in_channels=4), nn.BatchNorm(in_channels=5), nn.GlobalAvgPool2D())
    net.add(nn.Dense(3, in_units=5), nn.BatchNorm(in_channels=3))
    net.initialize(mx.init.Normal(0.3))
    return net


def images(seed=0, count=8):
    """Far from 0, where squares would lose the variance."""
    return mx.nd.array(np.random.default_rng(seed).normal(30, 1, (count, 3, 9, 9)))


def train(net, data, steps=3):
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.05}, kvstore=None)
    for _ in range(steps):
        with autograd.record():
            loss = ((net(data) - 1) ** 2 * mx.nd.arange(3)).sum()
        loss.backward()
        trainer.step(len(data))
    return {name: param.data().asnumpy() for name, param in net._collect_params_with_prefix().items()}


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}, {"momentum": 0.5, "epsilon": 0.1}])
def test_alone_it_is_a_batch_norm(options, hybrid):
    plain, synchronized = network(**options), network(**options)
    assert synchronize(synchronized, alone) == 3
    if hybrid:
        synchronized.hybridize(static_alloc=True, static_shape=True)
    found, expected = train(synchronized, images()), train(plain, images())
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=2e-3, atol=2e-4, err_msg=name)
    np.testing.assert_allclose(synchronized(images(1)).asnumpy(), plain(images(1)).asnumpy(), rtol=1e-3, atol=1e-3)


def test_sums_of_others_count():
    """Someone else has images whose maps are 1 everywhere, as many: the mean moves half of the way to 1."""

    def total(name, array):
        seen.append(name)
        sums = array.asnumpy()
        return mx.nd.array([2 * sums[0], *(sums[1:3] + sums[0])])

    seen = []
    norm = nn.BatchNorm(in_channels=1, epsilon=0)
    norm.initialize()
    synchronize(norm, total)
    data = np.array([3.0, 5.0])
    everything = np.array([3.0, 5.0, 1.0, 1.0])
    with autograd.record():
        y = norm(mx.nd.array(data.reshape(2, 1, 1, 1)))
    np.testing.assert_allclose(y.asnumpy().ravel(), (data - everything.mean()) / everything.std(), rtol=1e-5)
    np.testing.assert_allclose(norm.running_mean.data().asnumpy(), 0.1 * everything.mean(), rtol=1e-5)
    np.testing.assert_allclose(norm.running_var.data().asnumpy(), 0.9 + 0.1 * everything.var(), rtol=1e-5)
    assert seen == ["norm.0.0.forward"]


def test_evaluation_asks_nobody_and_files_are_those_of_the_plain_network(tmp_path):
    def fail(name, array):
        raise AssertionError("asked")

    plain, net = network(), network()
    train(plain, images())
    synchronize(net, fail)
    save_params(plain, tmp_path / "a.params")
    load_params(net, tmp_path / "a.params")
    np.testing.assert_allclose(net(images(1)).asnumpy(), plain(images(1)).asnumpy(), rtol=1e-4, atol=1e-4)
    save_params(net, tmp_path / "b.params")
    load_params(plain, tmp_path / "b.params")


def test_norms_that_compute_with_running_statistics_stay():
    net = network(use_global_stats=True)
    assert synchronize(net, alone) == 2
    assert [isinstance(net[i], SyncBatchNorm) for i in (1, 4, 7)] == [False, True, True]
    assert synchronize(net, alone) == 0


def test_float16_maps_have_float32_statistics():
    norm = nn.BatchNorm(in_channels=3)
    norm.initialize()
    synchronize(norm, alone)
    data = images().astype("float16")
    data.attach_grad()
    with autograd.record():
        y = norm(data)
    y.backward(mx.nd.random.normal(shape=y.shape).astype("float16"))
    assert y.dtype == data.grad.dtype == np.float16
    assert norm.running_var.data().dtype == norm.gamma.grad().dtype == np.float32
    exact = data.asnumpy().astype("float32")
    wanted = (exact - exact.mean((0, 2, 3), keepdims=True)) / exact.std((0, 2, 3), keepdims=True)
    np.testing.assert_allclose(y.asnumpy(), wanted, atol=1e-2)
