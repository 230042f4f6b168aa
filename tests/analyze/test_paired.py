"""Paired comparisons: SciPy's t-test, R's Holm, a power that a simulation confirms."""

import numpy as np
import pytest
from scipy import stats

from gluon_attn.analyze.paired import compare, holm, seeds_needed

SCORES, BASELINE = [0.91, 0.93, 0.92, 0.95, 0.90], [0.90, 0.91, 0.92, 0.92, 0.89]


def test_the_difference_is_that_of_scipys_paired_test():
    (found,) = compare([(SCORES, BASELINE)])
    expected = stats.ttest_rel(SCORES, BASELINE)
    interval = expected.confidence_interval(0.95)
    assert found.mean == pytest.approx(0.014)
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.seeds == 5


def test_holm_is_that_of_r():
    """p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")"""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_correction_counts_the_comparisons():
    alone = compare([(SCORES, BASELINE)])[0]
    both = compare([(SCORES, BASELINE), (BASELINE[::-1], BASELINE)])
    assert both[0].p == alone.p
    assert both[0].p_holm == pytest.approx(2 * alone.p)
    assert alone.p_holm == alone.p


def test_with_as_many_seeds_as_needed_the_test_has_a_power_of_eight_tenths():
    differences = np.array([1.5, -0.5, 1.5, -0.5])  # mean 0.5, standard deviation 1.1547
    count = seeds_needed(differences)
    assert count == 44
    effect = differences.mean() / differences.std(ddof=1)
    simulated = np.random.default_rng(0).standard_normal((20_000, count)) + effect
    found = (stats.ttest_1samp(simulated, 0, axis=1).pvalue < 0.05).mean()
    assert found == pytest.approx(0.8, abs=0.015)  # four standard errors, and the step of one seed


@pytest.mark.parametrize(
    ("differences", "expected"),
    [([0.1], None), ([0.0, 0.0], None), ([0.1, -0.1], None), ([0.1, 0.1, 0.1], 2), ([1e-4, -1e-1, 1e-1], None)],
)
def test_seeds_needed_at_the_ends(differences, expected):
    assert seeds_needed(differences) == expected


def test_one_seed_says_nothing():
    (found,) = compare([([0.9], [0.8])])
    assert (found.low, found.high, found.p, found.p_holm, found.seeds_needed) == (None,) * 5
    assert not found.is_told_apart


def test_differences_that_are_all_the_same():
    same, other = compare([([0.9, 0.8], [0.9, 0.8]), ([0.9, 0.8], [0.8, 0.7])])
    assert (same.p, same.is_told_apart) == (1.0, False)
    assert other.mean == pytest.approx(0.1)
    assert other.is_told_apart
