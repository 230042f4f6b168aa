"""Statistics of runs that share their seeds: differences within the pairs, a paired test, how many seeds it would take.

Two networks that are trained with the same seed see the same batches and, where their tensors agree, start with the
same weights. The differences within such pairs vary less than the scores themselves.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL, POWER = 0.05, 0.8
_SAME = 1e-9  # differences of scores that are rounding errors
_MOST = 10_000  # seeds; a difference that needs more is called nothing


@dataclass(frozen=True)
class Difference:
    """The scores of runs minus those of the baseline's runs with the same seeds.

    Attributes:
        mean: of the differences.
        low, high: ends of the 95 % interval of the mean, by Student's t distribution; None with one seed.
        p: of the two-sided paired t-test; None with one seed.
        p_holm: the same after Holm's correction for all comparisons of the table; None with one seed.
        seeds: number of pairs.
        seeds_needed: number of pairs with which a difference of this size is found with probability 0.8 at level 0.05,
            without a correction; None where it cannot be told or is above 10,000.
    """

    mean: float
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    seeds: int
    seeds_needed: int | None

    @property
    def is_told_apart(self) -> bool:
        """Whether the corrected test is significant at level 0.05."""
        return self.p_holm is not None and self.p_holm < LEVEL


def compare(pairs: Sequence[tuple[Sequence[float], Sequence[float]]]) -> list[Difference]:
    """Compare several methods with a baseline.

    Args:
        pairs: of each method (its scores, the baseline's scores with the same seeds in the same order).

    Returns:
        A `Difference` per method.
    """
    found = [np.subtract(scores, baseline, dtype=float) for scores, baseline in pairs]
    values = [_p_value(differences) for differences in found]
    corrected = iter(holm([p for p in values if p is not None]))
    return [
        Difference(
            float(differences.mean()), *_interval(differences), p, None if p is None else next(corrected),
            len(differences), seeds_needed(differences),
        )
        for differences, p in zip(found, values, strict=True)
    ]  # fmt: skip


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number (Holm 1979, https://www.jstor.org/stable/4615733), in the same order."""
    order = np.argsort(p_values, kind="stable")
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected


def seeds_needed(differences: Sequence[float] | np.ndarray) -> int | None:
    """Pairs for a power of 0.8 of the paired t-test at level 0.05, if the true difference is as the mean seen.

    Args:
        differences: within the pairs that there are.

    Returns:
        The number, at least 2; None with fewer than two pairs, without a difference, or above 10,000.
    """
    values = np.asarray(differences, float)
    if len(values) < 2 or abs(values.mean()) < _SAME:
        return None
    effect = math.inf if np.ptp(values) < _SAME else abs(values.mean()) / values.std(ddof=1)
    low, high = 2, _MOST
    if _power(effect, high) < POWER:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(effect, middle) >= POWER else (middle + 1, high)
    return low


def _power(effect: float, pairs: int) -> float:
    """Probability that the two-sided test finds an effect, the mean in standard deviations of the differences."""
    if math.isinf(effect):
        return 1.0
    critical, shift = stats.t.ppf(1 - LEVEL / 2, pairs - 1), effect * math.sqrt(pairs)
    if shift > 30:  # certain, and beyond what SciPy computes
        return 1.0
    return float(stats.nct.sf(critical, pairs - 1, shift))  # the other tail is less than a thousandth of it


def _p_value(differences: np.ndarray) -> float | None:
    if len(differences) < 2:
        return None
    if np.ptp(differences) < _SAME:
        return 1.0 if abs(differences[0]) < _SAME else 0.0
    return float(stats.ttest_1samp(differences, 0.0).pvalue)


def _interval(differences: np.ndarray) -> tuple[float | None, float | None]:
    count = len(differences)
    if count < 2:
        return None, None
    half = stats.t.ppf(1 - LEVEL / 2, count - 1) * differences.std(ddof=1) / math.sqrt(count)
    return float(differences.mean() - half), float(differences.mean() + half)
