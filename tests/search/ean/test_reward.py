"""Rewards: latencies of the attention of each stage, and the share of them that a scheme saves."""

import pytest

from gluon_attn.search.ean.reward import LatencySaving, Reward, stage_latencies


class Supernet:
    blocks, scheme = (2, 3), "00000"


def test_latency_of_one_block_of_each_stage():
    net, seen = Supernet(), []

    def measure():
        seen.append(net.scheme)
        noise = 7 if len(seen) == 2 else 0  # one outlier
        return 10 + 2 * net.scheme[:2].count("1") + 0.5 * net.scheme[2:].count("1") + noise

    assert stage_latencies(net, measure) == [2, 0.5]
    assert seen[:3] == ["00000", "11000", "00111"]


def test_no_latency_is_negative():
    times = iter(range(100, 0, -1))
    assert stage_latencies(Supernet(), lambda: next(times)) == [0, 0]


def test_share_of_latency_that_a_scheme_saves():
    saved = LatencySaving([2.0, 0.5], (2, 3))
    assert saved("00000") == 1
    assert saved("11111") == 0
    assert saved("10111") == pytest.approx(2 / 5.5)
    assert saved("11011") == pytest.approx(0.5 / 5.5)


def test_without_latencies_blocks_count():
    assert LatencySaving([0.0, 0.0], (2, 3))("10110") == pytest.approx(2 / 5)


def test_reward_with_another_saving():
    saved = Reward(weight=10, base=0, saved=lambda bits: 0.25 if bits == "10" else 0.5)
    assert [saved(bits, 60.0) for bits in ("10", "11")] == [62.5, 65]
    assert Reward()("0110", 60.0) == 60 + 2 * 0.5 - 54
