"""The controller and the novelty network: chances, samples, gradients by differences; Adam by hand."""

import numpy as np
import pytest

from gluon_attn.search.ean.controller import Controller, Novelty
from gluon_attn.search.ean.perceptron import Adam


def controller(**options):
    return Controller(4, np.random.default_rng(0), **options)


def test_samples_follow_the_chances():
    one = controller(temperature=0.1)
    drawn = one.sample(20000, np.random.default_rng(1))
    assert drawn.mean(0) == pytest.approx(one.chances()[:, 1], abs=0.015)
    assert one.chances().sum(1) == pytest.approx(np.ones(4))
    assert np.ptp(one.chances()[:, 1]) > 0.1


def test_chances_stay_off_the_ends():
    sure, free = (controller(temperature=0.001, clip=clip).chances() for clip in (2.5, None))
    assert sure.min() >= 1 / (1 + np.exp(5)) - 1e-12
    assert free.min() < 1e-6


@pytest.mark.parametrize("clip", [None, 2.5])
def test_gradients_by_differences(clip):
    one = controller(clip=clip, temperature=1.0)
    actions = np.array([[0, 1, 1, 0], [1, 1, 0, 0]])
    weights = np.random.default_rng(2).normal(size=actions.shape)
    differences(one.net, one.gradients(actions, weights), lambda: (weights * one.log_chances(actions)).sum())


def test_novelty_by_differences_and_that_it_wears_off():
    one, actions = Novelty(4, np.random.default_rng(0)), np.array([[0, 1, 1, 0], [1, 1, 0, 0]])
    differences(one.learner, one.gradients(actions), lambda: one.bonus(actions).sum())
    before = one.bonus(actions)
    for _ in range(100):
        one.learn(actions)
    assert (one.bonus(actions) < before / 20).all()
    assert one.bonus(np.array([[0, 0, 0, 1]])) > 20 * one.bonus(actions).max()


def differences(net, gradients, value, step=1e-6):
    """`gradients` are those of `value()` by the weights of `net`, of which some are tried."""
    assert set(gradients) == set(net.weights)
    for name, weight in net.weights.items():
        for i in list(np.ndindex(weight.shape))[:: max(1, weight.size // 7)]:
            kept = weight[i]
            weight[i] = kept + step
            up = value()
            weight[i] = kept - step
            down = value()
            weight[i] = kept
            assert (up - down) / (2 * step) == pytest.approx(gradients[name][i], rel=1e-5, abs=1e-7)


def test_adam_by_hand():
    weights = {"w": np.array([1.0, 2.0])}
    adam = Adam(weights, 0.1)
    adam.step({"w": np.array([4.0, 0.0])})
    assert weights["w"] == pytest.approx([0.9, 2.0])
    adam.step({"w": np.array([-4.0, 0.0])})
    # means 0.36 - 0.4 over 0.19; squares 16
    assert weights["w"] == pytest.approx([0.9 + 0.1 * (0.04 / 0.19) / 4, 2.0])
