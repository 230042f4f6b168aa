"""What searches share: records, the best scheme, the curve."""

import pytest

from gluon_attn.search.ean.baselines import RandomSearch
from gluon_attn.search.ean.reward import Reward
from gluon_attn.search.ean.searcher import Searcher, as_bits
from gluon_attn.utils.errors import UserError


class Listed(Searcher):
    """Tries what it is given."""

    name = "listed"

    def propose(self):
        return [[int(bit) for bit in next(self.given)] for _ in range(self.count)]


def listed(schemes, accuracies):
    accuracies = iter(accuracies)
    search = Listed(2, lambda tried: [next(accuracies) for _ in tried], reward=Reward(weight=4, base=50), samples=2)
    search.given = iter(schemes)
    return search


def test_rows_are_texts():
    assert as_bits([[0, 1], [1, 1]]) == ["01", "11"]


def test_records_and_the_best_on_average():
    search = listed(["00", "01", "11", "01"], [51, 60, 58, 60])
    told = []
    assert search.run(2, lambda s, records: told.append((s.steps, len(records)))) == ("01", 12)
    assert told == [(1, 2), (2, 2)]
    assert search.samples[1] == {"step": 0, "scheme": "01", "accuracy": 60, "unconnected": 0.5, "reward": 12}
    assert search.curve() == [5, 12, 12, 12]


def test_a_lucky_sample_does_not_win():
    """01 has 12 and 12.5, whose deviation is 0.35; 10 has 12.2 once."""
    assert listed(["01", "01", "10", "11"], [60, 60.5, 60.2, 58]).run(2) == ("01", 12.25)
    assert listed(["01", "01", "10", "11"], [60, 60.5, 62, 58]).run(2) == ("10", 14)


def test_nothing_is_tried_twice_by_running_on():
    search = RandomSearch(4, lambda tried: [0.0] * len(tried), samples=3)
    search.run(2)
    search.run(2)
    assert len(search.samples) == 6


def test_errors():
    with pytest.raises(UserError, match="has tried no scheme yet"):
        listed([], []).best()
    with pytest.raises(UserError, match="at least one block and one sample"):
        RandomSearch(0, None)
    with pytest.raises(UserError, match="at least one block and one sample"):
        RandomSearch(4, None, samples=0)


def test_another_saving():
    saved = Reward(weight=10, base=0, saved=lambda bits: 0.25 if bits == "10" else 0.5)
    assert [saved(bits, 60.0) for bits in ("10", "11")] == [62.5, 65]
    assert Reward()("0110", 60.0) == 60 + 2 * 0.5 - 54
