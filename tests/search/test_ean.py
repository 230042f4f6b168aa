"""EAN's search: it finds a planted scheme, its parts by hand, its state."""

import numpy as np
import pytest
from planted import BLOCKS, Planted

from gluon_attn.config.ean import EanConfig
from gluon_attn.search.ean.baselines import RandomSearch
from gluon_attn.search.ean.policy_search import EanSearch
from gluon_attn.search.ean.replay import Memory
from gluon_attn.utils.errors import UserError

TOP = 20  # the best 0.5 % of 4096 schemes


def ranks(seed, **options):
    """(rank of the scheme that 300 steps of EAN's search find, that of random search with as many evaluations)."""
    found = []
    for make in (
        lambda problem: EanSearch(BLOCKS, problem.evaluate, EanConfig(**options), seed=seed),
        lambda problem: RandomSearch(BLOCKS, problem.evaluate, samples=3, seed=seed),
    ):
        problem = Planted(seed)
        found.append(problem.rank(make(problem).run(300)[0]))
        assert problem.evaluations == 900
    return found


def test_the_planted_scheme_is_found_and_chance_is_beaten():
    """Ranks of 4096, 0 the best, on seeds 0 to 4: ours 0, 1, 0, 0, 0, random search 28, 1, 11, 32, 21."""
    found = [ranks(seed) for seed in range(5)]
    assert max(ours for ours, _ in found) < TOP
    assert sum(ours < theirs for ours, theirs in found) >= 4


def test_what_the_authors_code_does_finds_it_too():
    assert ranks(0, variant="reference")[0] < TOP


def test_the_bonus_of_a_step():
    """Each scheme has its own; the authors' code gives all of them the sum."""
    actions = np.array([[0] * 6, [1] * 6, [0, 1] * 3])
    bonuses = {}
    for variant in ("paper", "reference"):
        search = EanSearch(6, None, EanConfig(variant=variant))
        own = search.novelty.bonus(actions)
        bonuses[variant] = search.learn_new(actions, np.zeros(3))["bonus"]
        assert len(set(own)) == 3
        # where three rows of six bits are in disorder the sum is another
        assert bonuses[variant].tolist() == own.tolist() or variant == "reference"
    assert len(set(bonuses["reference"])) == 1
    doubled = EanSearch(6, None, EanConfig(bonus=2.0))
    assert doubled.learn_new(actions, np.zeros(3))["bonus"] == pytest.approx(2 * bonuses["paper"])


def test_what_is_remembered():
    actions = np.array([[0, 0, 1, 1], [1, 0, 1, 0], [1, 1, 1, 1]])
    ours, theirs = (EanSearch(4, None, EanConfig(variant=variant)) for variant in ("paper", "reference"))
    bonus = ours.learn_new(actions, np.ones(3))["bonus"]
    theirs.learn_new(actions, np.ones(3))
    assert ours.replay.memories[0].actions.tolist() == actions.tolist()
    assert ours.replay.memories[0].rewards.tolist() == (1 + bonus).tolist()
    # 1 1, 0 1, 1 1, 0 1 of the last two, cut into fours
    assert theirs.replay.memories[0].actions.tolist() == [[0, 0, 1, 1], [1, 1, 0, 1], [1, 1, 0, 1]]
    assert theirs.replay.memories[0].rewards.tolist() == [1, 1, 1]


def test_the_moving_average():
    search = EanSearch(4, None, EanConfig(bonus=0, baseline_decay=0.9))
    said = [search.learn_new(np.ones((3, 4), int), np.full(3, float(r)))["baseline"][0] for r in (10, 20)]
    assert said == pytest.approx([10, 11])


@pytest.mark.parametrize(
    ("advantage", "ratio", "moves"), [(1, 2.0, False), (1, 0.5, True), (-1, 2.0, True), (-1, 0.5, False)]
)
def test_an_old_step_counts_within_the_limit(advantage, ratio, moves):
    """A choice that is already liked enough, or disliked enough, moves nothing."""
    search = EanSearch(4, None, EanConfig(ratio_clip=0.1))
    search.baseline, actions = 0.0, np.array([[0, 1, 1, 0]])
    chances = np.exp(search.controller.log_chances(actions)) / ratio
    before = search.controller.net.weights["1.bias"].copy()
    loss = search.learn_old(Memory(0, actions, chances, np.array([float(advantage)])))
    limit = min(ratio * advantage, np.clip(ratio, 0.9, 1.1) * advantage)
    assert loss == pytest.approx(-0.1 * 4 * limit)
    assert (search.controller.net.weights["1.bias"] != before).any() == moves


def test_the_loss_of_an_old_step_has_the_slopes_that_it_is_given():
    search = EanSearch(5, None)
    search.baseline, actions = 0.3, np.array([[0, 1, 1, 0, 1], [1, 1, 0, 0, 1]])
    chances = np.random.default_rng(3).uniform(0.3, 0.7, actions.shape)
    memory, slopes = Memory(0, actions, chances, np.array([1.5, -0.7])), {}
    search.controller.adam.step = slopes.update
    loss, bias = search.learn_old(memory), search.controller.net.weights["1.bias"]
    for i in range(len(bias)):
        bias[i] += 1e-6
        moved = search.learn_old(memory)
        bias[i] -= 1e-6
        kept = search.controller.gradients(actions, np.zeros(actions.shape))
        assert kept["1.bias"][i] == 0
        first = first_slopes(search, memory)
        assert (moved - loss) / 1e-6 == pytest.approx(first[i], abs=1e-5)


def first_slopes(search, memory):
    slopes = {}
    search.controller.adam.step = slopes.update
    search.learn_old(memory)
    return slopes["1.bias"]


def test_when_old_steps_are_learned_from(monkeypatch):
    for options, wanted in (({"replay_from": 3}, 2), ({"replay_weight": 0}, 0), ({"replay_from": 0}, 5)):
        picked = []
        search = EanSearch(BLOCKS, Planted(0).evaluate, EanConfig(**options, buffer=2))
        monkeypatch.setattr(search, "learn_old", picked.append)
        search.run(5)
        assert len(picked) == wanted
        assert [memory.step for memory in search.replay.memories] == [3, 4]


@pytest.mark.parametrize(
    "options", [{"controller_lr": 0}, {"ratio_clip": 2}, {"variant": "other"}, {"validate_size": -1}]
)
def test_bad_options(options):
    with pytest.raises(UserError, match=f"option {next(iter(options))}"):
        EanConfig(**options)


def test_temperature_and_rate_have_an_effect():
    sure, unsure = (EanSearch(6, None, EanConfig(temperature=t)).controller.chances() for t in (1.0, 50.0))
    assert abs(sure - 0.5).max() > 5 * abs(unsure - 0.5).max()
    moved = []
    for lr in (0.01, 0.05):
        search = EanSearch(6, None, EanConfig(controller_lr=lr))
        before = search.controller.net.weights["1.bias"].copy()
        search.learn_new(np.array([[0, 1] * 3, [1, 1] * 3, [0, 0] * 3]), np.array([1.0, 2.0, 5.0]))
        moved.append(abs(search.controller.net.weights["1.bias"] - before).max())
    assert moved[1] == pytest.approx(5 * moved[0], rel=1e-3)
