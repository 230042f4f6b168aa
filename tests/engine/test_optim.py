"""The Gluon trainer: options reach the optimizer; weight decay and clipping are exact."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluon_attn.config.optim import OptimConfig
from gluon_attn.engine.optim import NAG, SGD, clip_gradients, make_trainer
from gluon_attn.engine.schedule import Schedule
from gluon_attn.utils.errors import UserError


def make(**options):
    net = gluon.nn.HybridSequential()
    net.add(gluon.nn.Dense(4, in_units=3), gluon.nn.BatchNorm(in_channels=4))
    net.initialize(mx.init.Normal(1.0))
    config = OptimConfig(**options)
    return net, make_trainer(net, config, Schedule(config, 2, 2))


def test_no_wd_spares_norms_and_biases_only():
    net, _ = make(no_wd=True)
    found = {name.split(".")[1]: p.wd_mult for name, p in net._collect_params_with_prefix().items()}
    assert found["weight"] == 1.0
    assert found["bias"] == found["gamma"] == found["beta"] == 0.0
    net, _ = make()
    assert {p.wd_mult for p in net.collect_params().values()} == {1.0}


def test_unknown_optimizer_names_the_nearest():
    with pytest.raises(UserError, match="did you mean adam"):
        make(optimizer="adamm")


def test_momentum_of_an_optimizer_without_one_is_refused():
    with pytest.raises(UserError, match="adam has no momentum"):
        make(optimizer="adam", momentum=0.9)
    assert make(optimizer="sgd")[1]._optimizer.momentum == 0.9
    assert make(optimizer="sgd", momentum=0.5)[1]._optimizer.momentum == 0.5


def test_epsilon():
    assert make(optimizer="rmsproptf")[1]._optimizer.epsilon == 1e-3
    assert make(optimizer="AdamW", epsilon=1e-6)[1]._optimizer.epsilon == 1e-6
    with pytest.raises(UserError, match="optimizer sgd has no epsilon"):
        make(optimizer="sgd", epsilon=1e-6)


@pytest.mark.parametrize("largest", [0.5, 1e6])
def test_clipping_bounds_the_common_norm(largest):
    net, trainer = make()
    with autograd.record():
        loss = (net(mx.nd.random.normal(shape=(8, 3))) ** 3).sum() * 10
    loss.backward()

    def gradients():
        return np.concatenate([p.grad().asnumpy().ravel() for p in trainer._params if p.grad_req != "null"])

    before = gradients()
    clip_gradients(trainer, largest)
    scale = min(1.0, largest / (np.linalg.norm(before) + 1e-8))
    np.testing.assert_allclose(gradients(), before * scale, rtol=1e-5)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_updates_large_weights_as_small_ones(momentum, monkeypatch):
    """As MXNet's own, whose operator for several weights gets those of about one size, and no large ones."""
    options = {"learning_rate": 0.1, "wd": 0.3, "momentum": momentum, "rescale_grad": 0.25}
    ours, theirs = SGD(**options), mx.optimizer.SGD(**options)
    shapes, random = [(4, 3), (300, 300), *[(5,), (2, 3)] * 35, (256, 256)], np.random.default_rng(0)
    weights = [[mx.nd.array(np.ones(shape)) for shape in shapes] for _ in range(2)]
    states = [[one.create_state(i, w) for i, w in enumerate(weights[0])] for one in (ours, theirs)]
    several, sizes = mx.optimizer.optimizer.multi_sgd_mom_update, []
    for _ in range(3):
        grads = [mx.nd.array(random.normal(size=shape)) for shape in shapes]
        for one, own, state in zip((theirs, ours), weights, reversed(states), strict=True):
            most = 4 if one is theirs else len(shapes)
            for i in range(0, len(shapes), most):
                part = slice(i, i + most)
                one.update_multi_precision(list(range(len(shapes)))[part], own[part], grads[part], state[part])
            monkeypatch.setattr(
                "mxnet.optimizer.optimizer.multi_sgd_mom_update",
                lambda *args, **options: (sizes.append(options["num_weights"]), several(*args, **options)),
            )
        monkeypatch.setattr("mxnet.optimizer.optimizer.multi_sgd_mom_update", several)
        for mine, expected in zip(weights[1], weights[0], strict=True):
            np.testing.assert_allclose(mine.asnumpy(), expected.asnumpy(), rtol=1e-5, atol=1e-6)
    assert sizes == ([60, 10, 1] * 3 if momentum else [])
    assert ours.num_update == 3
    ours.update_multi_precision(1, weights[1][1], grads[1], states[0][1])  # a single one, not in a list
    theirs.update_multi_precision(1, weights[0][1], grads[1], states[1][1])
    np.testing.assert_allclose(weights[1][1].asnumpy(), weights[0][1].asnumpy(), rtol=1e-5, atol=1e-6)


def test_nag_is_nesterov_with_the_decay_of_the_old_weights():
    """MXNet's own operator, given the weights as its output too, is off by lr * wd of the step here: 0.6 %."""
    net, trainer = make(optimizer="nag", lr=0.1, wd=0.3, momentum=0.9, lr_mode="step")
    weight = net[0].weight
    w, m = weight.data().asnumpy(), np.zeros((4, 3), np.float32)
    for _ in range(3):
        with autograd.record():
            loss = (net(mx.nd.random.normal(shape=(8, 3))) ** 2).sum(axis=1)
        loss.backward()
        g = weight.grad().asnumpy() / 8 + 0.3 * w
        trainer.step(8)
        m = 0.9 * m - 0.1 * g
        w = w + 0.9 * m - 0.1 * g
        np.testing.assert_allclose(weight.data().asnumpy(), w, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(trainer._updaters[0].states[0].asnumpy(), m, rtol=1e-5, atol=1e-6)


def test_nag_in_float16_updates_the_float32_originals():
    """MXNet's own operator reads the new weights here too."""
    rng = np.random.RandomState(0)
    nag = NAG(learning_rate=0.1, wd=0.3, momentum=0.9, rescale_grad=0.25, multi_precision=True)
    weight = mx.nd.array(rng.normal(size=(4, 3)), dtype="float16")
    state = nag.create_state_multi_precision(0, weight)
    w, m = weight.asnumpy().astype(np.float32), np.zeros((4, 3), np.float32)
    for _ in range(4):
        grad = mx.nd.array(rng.normal(size=(4, 3)), dtype="float16")
        nag.update_multi_precision(0, weight, grad, state)
        g = grad.asnumpy().astype(np.float32) / 4 + 0.3 * w
        m = 0.9 * m - 0.1 * g
        w = w + 0.9 * m - 0.1 * g
        np.testing.assert_allclose(state[0].asnumpy(), m, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(state[1].asnumpy(), w, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(weight.asnumpy(), state[1].asnumpy().astype(np.float16))


def test_clipping_takes_the_norm_of_float16_gradients_in_float32():
    """The sum of these squares is beyond float16."""
    net, trainer = make()
    net.cast("float16")
    for param in trainer._params:
        if param.grad_req != "null":
            param.grad()[:] = 1000
    clip_gradients(trainer, 2.0)
    found = np.concatenate([p.grad().asnumpy().ravel() for p in trainer._params if p.grad_req != "null"])
    np.testing.assert_allclose(found.astype(np.float32), 2 / np.sqrt(found.size), rtol=1e-3)
