"""One update: accumulated, scaled, skipped, clipped, averaged."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluon_attn.engine.ema import WeightEMA
from gluon_attn.engine.loss_scale import LossScaler
from gluon_attn.engine.update import Update

RATE = 0.5


def make(**options):
    mx.random.seed(4)
    net = gluon.nn.Dense(2, in_units=3)
    net.initialize(mx.init.Normal(1.0))
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": RATE}, update_on_kvstore=False)
    return net, Update(trainer, 1, **options)


def backward(net, update, rows):
    x = mx.nd.array(np.random.RandomState(1).normal(size=(8, 3))[rows])
    with autograd.record():
        losses = [(net(x) ** 2).sum(axis=1)]
    update.backward(losses, len(x))


def change(net, update, *parts):
    before = net.weight.data().asnumpy()
    for rows in parts:
        backward(net, update, rows)
    update.apply()
    assert not update.pending
    return net.weight.data().asnumpy() - before


def test_any_number_of_batches_makes_one_mean():
    whole = change(*make(), slice(8))
    assert np.abs(whole).max() > 0.1
    for parts in ((slice(4), slice(4, 8)), (slice(3), slice(3, 5), slice(5, 8))):
        np.testing.assert_allclose(change(*make(), *parts), whole, rtol=1e-5)


@pytest.mark.parametrize("clip", [None, 0.3])
def test_the_scale_does_not_show_in_the_step(clip):
    plain = change(*make(clip=clip), slice(8))
    np.testing.assert_allclose(change(*make(clip=clip, scaler=LossScaler(4096.0)), slice(8)), plain, rtol=1e-5)
    if clip:
        net, update = make(clip=clip)
        change(net, update, slice(8))
        norm = np.sqrt(sum((p.grad().asnumpy() ** 2).sum() for p in net.collect_params().values())) / 8
        assert norm == pytest.approx(clip, rel=1e-5)


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_an_overflowed_step_is_left_out(value):
    scaler = LossScaler(1024.0)
    net, update = make(scaler=scaler)
    update.ema = WeightEMA(net, 0.9)
    before = net.weight.data().asnumpy()
    backward(net, update, slice(8))
    net.bias.grad()[1] = value
    update.apply()
    np.testing.assert_array_equal(net.weight.data().asnumpy(), before)
    assert (scaler.scale, update.trainer._optimizer.num_update, update.ema.updates) == (512, 0, 0)
    np.testing.assert_allclose(change(net, update, slice(8)), change(*make(), slice(8)), rtol=1e-5)
    assert (scaler.scale, update.ema.updates) == (512, 1)


def test_images_of_all_processes_count():
    np.testing.assert_allclose(change(*make(processes=4), slice(8)) * 4, change(*make(), slice(8)), rtol=1e-5)
