"""The base class of searches: records, the best scheme, the curve."""

import pytest

from gluon_attn.search.ean.baselines import RandomSearch
from gluon_attn.search.ean.reward import Reward
from gluon_attn.search.ean.searcher import Searcher, as_bits
from gluon_attn.utils.errors import UserError


class Listed(Searcher):
    """Proposes the schemes of a list."""

    name = "listed"

    def propose(self):
        return [[int(bit) for bit in next(self.given)] for _ in range(self.samples_per_step)]


def listed(schemes, accuracies):
    accuracies = iter(accuracies)
    search = Listed(
        2, lambda schemes: [next(accuracies) for _ in schemes], reward=Reward(weight=4, base=50), samples_per_step=2
    )
    search.given = iter(schemes)
    return search


def test_schemes_are_strings():
    assert as_bits([[0, 1], [1, 1]]) == ["01", "11"]


def test_records_and_the_best_mean_reward():
    search = listed(["00", "01", "11", "01"], [51, 60, 58, 60])
    calls = []
    assert search.run(2, lambda search, records: calls.append((search.steps, len(records)))) == ("01", 12)
    assert calls == [(1, 2), (2, 2)]
    assert search.samples[1] == {"step": 0, "scheme": "01", "accuracy": 60, "unconnected": 0.5, "reward": 12}
    assert search.curve() == [5, 12, 12, 12]


def test_one_lucky_sample_does_not_win():
    """01 has 12 and 12.5, with standard deviation 0.35; 10 has 12.2 once."""
    assert listed(["01", "01", "10", "11"], [60, 60.5, 60.2, 58]).run(2) == ("01", 12.25)
    assert listed(["01", "01", "10", "11"], [60, 60.5, 62, 58]).run(2) == ("10", 14)


def test_run_counts_the_steps_already_done():
    search = RandomSearch(4, lambda schemes: [0.0] * len(schemes), samples_per_step=3)
    search.run(2)
    search.run(2)
    assert len(search.samples) == 6


def test_errors():
    with pytest.raises(UserError, match="has evaluated no scheme yet"):
        listed([], []).best()
    with pytest.raises(UserError, match="at least one block and one sample"):
        RandomSearch(0, None)
    with pytest.raises(UserError, match="at least one block and one sample"):
        RandomSearch(4, None, samples_per_step=0)
