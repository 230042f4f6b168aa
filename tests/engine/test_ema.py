"""Moving averages against the formula, and the network as it was after them."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon

from gluon_attn.engine.ema import WeightEMA, running_statistics


def make():
    net = gluon.nn.HybridSequential()
    net.add(gluon.nn.Dense(2, in_units=3, use_bias=False), gluon.nn.BatchNorm(in_channels=2))
    net.initialize(mx.init.Normal(1.0))
    return net


@pytest.mark.parametrize("decay", [0.2, 0.999])
def test_the_formula(decay):
    net = make()
    average, expected = WeightEMA(net, decay), None
    for n in range(6):
        weight = np.random.RandomState(n).normal(size=(2, 3)).astype(np.float32)
        net[0].weight.set_data(mx.nd.array(weight))
        average.update()
        d = min(decay, n / (n + 9))
        expected = weight if n == 0 else d * expected + (1 - d) * weight
    np.testing.assert_allclose(average.values["0.weight"].asnumpy(), expected, rtol=1e-5, atol=1e-6)
    assert set(average.values) == set(net._collect_params_with_prefix())


@pytest.mark.parametrize(("warmup", "bound"), [("power", 1 - 4 ** (-2 / 3)), ("none", 1), ("short", 3 / 12)])
@pytest.mark.parametrize("decay", [0.1, 0.99])
def test_how_it_begins(warmup, bound, decay):
    net = make()
    average = WeightEMA(net, decay, warmup)
    for value in (1.0, 1.0, 1.0, 3.0):
        net[0].weight.set_data(mx.nd.full((2, 3), value))
        average.update()
    d = min(decay, bound)
    np.testing.assert_allclose(average.values["0.weight"].asnumpy(), d + (1 - d) * 3, rtol=1e-6)


def test_the_weights_come_back_also_after_an_error():
    net = make()
    average = WeightEMA(net, 0.9)
    average.update()
    mean = net[0].weight.data().asnumpy()
    net[0].weight.set_data(mx.nd.ones((2, 3)))

    def fail():
        with average.applied():
            np.testing.assert_array_equal(net[0].weight.data().asnumpy(), mean)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (net[0].weight.data().asnumpy() == 1).all()


def test_float16_weights_are_averaged_in_float32():
    net = gluon.nn.PReLU()
    net.initialize()
    net.cast("float16")
    average = WeightEMA(net, 0.9999)
    for n in range(3):
        net.alpha.set_data(mx.nd.array([1 + n / 1024], dtype="float16"))
        average.update()
    assert average.values["alpha"].dtype == np.float32
    with average.applied():
        assert net.alpha.data().dtype == np.float16


def test_statistics_leave_out_frozen_ones():
    net = make()
    average = WeightEMA(net, 0.9)
    average.update()
    assert [array.shape for array in running_statistics(net, set(), average)] == [(2,)] * 4
    assert [array.shape for array in running_statistics(net, {"1.running_var"}, None)] == [(2,)]
    assert running_statistics(net, {"1.running_var"}, None)[0] is net[1].running_mean.list_data()[0]
