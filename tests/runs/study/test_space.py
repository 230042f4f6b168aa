"""Values of a study's options: quantiles against SciPy's distributions, and what samplers suggest."""

import math

import numpy as np
import pytest
from scipy import stats

from gluon_attn.runs.study.space import QUANTILE, Distribution, Factor, from_dict
from gluon_attn.utils.errors import UserError

QUANTILES = np.linspace(0.001, 0.999, 23)


class Suggests:
    """Suggests fixed values, as Optuna's trial does for enqueued parameters."""

    def __init__(self, stored):
        self.stored = stored

    def suggest_categorical(self, name, choices):
        assert self.stored[name] in choices
        return self.stored[name]

    def suggest_float(self, name, low, high, log=False):
        assert low <= self.stored[name] <= high
        return self.stored[name]

    def suggest_int(self, name, low, high):
        assert low <= self.stored[name] <= high
        return self.stored[name]


@pytest.mark.parametrize(
    ("kind", "low", "high", "expected"),
    [
        ("uniform", -2, 5, stats.uniform(-2, 7)),
        ("log_uniform", 1e-4, 1, stats.loguniform(1e-4, 1)),
        ("normal", 3, 2, stats.norm(3, 2)),
        ("log_normal", -1, 0.5, stats.lognorm(s=0.5, scale=math.exp(-1))),
    ],
)
def test_quantiles_are_those_of_the_distribution(kind, low, high, expected):
    one = Distribution("optim.lr", kind, low, high)
    np.testing.assert_allclose([one.value(q) for q in QUANTILES], expected.ppf(QUANTILES), rtol=1e-9)


def test_the_reciprocal_of_inv_log_uniform_is_log_uniform():
    one = Distribution("optim.lr", "inv_log_uniform", 0.1, 10)
    expected = 1 / stats.loguniform(0.1, 10).ppf(QUANTILES)
    np.testing.assert_allclose([one.value(q) for q in QUANTILES], expected, rtol=1e-9)


def test_whole_numbers_have_both_ends_alike():
    one = Distribution("data.batch_size", "uniform", 2, 5, whole=True)
    values = [one.value(q) for q in np.linspace(0, 1, 4001)[:-1]]
    assert np.unique(values, return_counts=True)[1].tolist() == [1000] * 4
    assert one.value(1.0) == 5


def test_steps_round_to_multiples():
    one = Distribution("optim.lr", "uniform", 0, 1, step=0.25)
    assert sorted({one.value(q) for q in QUANTILES}) == [0, 0.25, 0.5, 0.75, 1]


def test_probabilities_of_values():
    one = Factor("model.attention", (None, "se", "eca"), (0.5, 0.2, 0.3))
    values = [one.value(q) for q in np.linspace(0, 1, 1000, endpoint=False)]
    assert [values.count(value) for value in one.values] == [500, 200, 300]


@pytest.mark.parametrize(
    "one",
    [
        Factor("model.attention", (None, "se", True, 3, 0.5, {"reduction": 4})),
        Distribution("optim.lr", "log_uniform", 1e-3, 1),
        Distribution("optim.lr", "uniform", 0, 1, step=0.1),
        Distribution("data.batch_size", "uniform", 3, 9, whole=True),
        Distribution("optim.wd", "log_normal", -9, 1),
        Distribution("optim.wd", "inv_log_uniform", 0.1, 1),
    ],
)
def test_what_is_stored_is_suggested_again(one):
    """Also after the way through a study's file, and a quantile of exactly 0 or 1."""
    assert from_dict(one.to_dict()) == one
    for quantile in (0.0, 0.3, 0.77, 1.0):
        stored = one.stored(one.value(quantile) if isinstance(one, Factor) else quantile)
        assert [name.removesuffix(QUANTILE) for name in stored] == [one.key]
        expected, found = one.value(quantile), one.suggest(Suggests(stored))
        assert found == (expected if isinstance(one, Factor) else pytest.approx(expected, rel=1e-3))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Factor("optim.lr", ()), "optim.lr has no values"),
        (lambda: Factor("optim.lr", (0.1, 0.2, 0.1)), "optim.lr has 0.1 twice"),
        (lambda: Factor("model.attention", ("se", "eca"), (0.5, 0.6)), "their sum must be 1"),
        (lambda: Factor("model.attention", ("se", "eca"), (1.0,)), "one probability per value"),
        (lambda: Distribution("optim.lr", "uniform", 2, 1), "its minimum 2 above its maximum 1"),
        (lambda: Distribution("optim.lr", "log_uniform", 0, 1), "its minimum must be above 0"),
        (lambda: Distribution("optim.lr", "normal", 0, 0), "a standard deviation above 0"),
        (lambda: Distribution("optim.lr", "uniform", 0, math.inf), "finite bounds"),
        (lambda: Distribution("optim.lr", "uniform", 0, 1, step=0), "a step above 0"),
    ],
)
def test_impossible_values_are_refused(build, message):
    with pytest.raises(UserError, match=message):
        build()
