"""The policy and the exploration bonus: probabilities, samples, gradients by finite differences."""

import numpy as np
import pytest

from gluon_attn.search.ean.controller import Controller, RNDBonus


def controller(**options):
    return Controller(4, np.random.default_rng(0), **options)


def test_samples_have_the_probabilities():
    one = controller(temperature=0.1)
    drawn = one.sample(20000, np.random.default_rng(1))
    assert drawn.mean(0) == pytest.approx(one.probabilities()[:, 1], abs=0.015)
    assert one.probabilities().sum(1) == pytest.approx(np.ones(4))
    assert np.ptp(one.probabilities()[:, 1]) > 0.1


def test_clipped_logits_bound_the_probabilities():
    sure, free = (controller(temperature=0.001, clip=clip).probabilities() for clip in (2.5, None))
    assert sure.min() >= 1 / (1 + np.exp(5)) - 1e-12
    assert free.min() < 1e-6


@pytest.mark.parametrize("clip", [None, 2.5])
def test_gradients_of_log_probabilities(clip):
    one = controller(clip=clip, temperature=1.0)
    actions = np.array([[0, 1, 1, 0], [1, 1, 0, 0]])
    weights = np.random.default_rng(2).normal(size=actions.shape)
    check_gradients(one.net, one.gradients(actions, weights), lambda: (weights * one.log_probabilities(actions)).sum())


def test_gradients_of_the_bonus_and_its_decay():
    one, actions = RNDBonus(4, np.random.default_rng(0)), np.array([[0, 1, 1, 0], [1, 1, 0, 0]])
    check_gradients(one.predictor, one.gradients(actions), lambda: one.bonus(actions).sum())
    before = one.bonus(actions)
    for _ in range(100):
        one.learn(actions)
    assert (one.bonus(actions) < before / 20).all()
    assert one.bonus(np.array([[0, 0, 0, 1]])) > 20 * one.bonus(actions).max()


def check_gradients(net, gradients, value, step=1e-6):
    """Checks `gradients` of `value()` by the weights of `net` with finite differences, for some of the weights."""
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
