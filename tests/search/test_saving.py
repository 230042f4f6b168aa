"""Times of attention, stage by stage, and what a scheme saves of them."""

import pytest

from gluon_attn.search.ean.latency_reward import TimeSaved, stage_times


class Supernet:
    blocks, scheme = (2, 3), "00000"


def test_times_of_a_block_of_each_stage():
    net, seen = Supernet(), []

    def measure():
        seen.append(net.scheme)
        noise = 7 if len(seen) == 2 else 0  # one bad moment
        return 10 + 2 * net.scheme[:2].count("1") + 0.5 * net.scheme[2:].count("1") + noise

    assert stage_times(net, measure) == [2, 0.5]
    assert seen[:3] == ["00000", "11000", "00111"]


def test_no_time_is_negative():
    times = iter(range(100, 0, -1))
    assert stage_times(Supernet(), lambda: next(times)) == [0, 0]


def test_what_a_scheme_saves():
    saved = TimeSaved([2.0, 0.5], (2, 3))
    assert saved("00000") == 1
    assert saved("11111") == 0
    assert saved("10111") == pytest.approx(2 / 5.5)
    assert saved("11011") == pytest.approx(0.5 / 5.5)


def test_without_any_time_blocks_count():
    assert TimeSaved([0.0, 0.0], (2, 3))("10110") == pytest.approx(2 / 5)
