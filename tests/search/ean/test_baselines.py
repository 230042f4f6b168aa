"""Random search and regularized evolution."""

import pytest
from planted import BLOCKS, Planted

from gluon_attn.search.ean.baselines import Evolution, RandomSearch
from gluon_attn.utils.errors import UserError


def test_random_search_is_uniform():
    search = RandomSearch(6, lambda schemes: [0.0] * len(schemes), samples_per_step=400)
    search.run(1)
    ones = [sum(record["scheme"][i] == "1" for record in search.samples) for i in range(6)]
    assert all(150 < count < 250 for count in ones)
    assert len({record["scheme"] for record in search.samples}) > 55


def test_evolution_improves_on_its_random_start():
    problem = Planted(0)
    search = Evolution(BLOCKS, problem.evaluate, samples_per_step=3)
    start = search.run(10)[0]
    assert problem.rank(search.run(100)[0]) < min(problem.rank(start), 20)


def test_child_differs_in_one_bit_from_the_population():
    search = Evolution(8, ones, population=5, tournament=2, samples_per_step=2)
    search.run(8)
    assert len(search.samples) == 16
    for i in range(6, 16, 2):  # both children of a step have the same population
        population_of_step = [record["scheme"] for record in search.samples[i - 5 : i]]
        for record in search.samples[i : i + 2]:
            assert 1 in [
                sum(a != b for a, b in zip(record["scheme"], other, strict=True)) for other in population_of_step
            ]


def ones(schemes):
    return [float(scheme.count("1")) for scheme in schemes]


def test_tournament_of_all_selects_the_best():
    search = Evolution(8, lambda schemes: [int(scheme, 2) for scheme in schemes], population=4, tournament=4)
    search.run(12)
    for i in range(4, 12):
        best = max(search.samples[i - 4 : i], key=lambda record: record["reward"])["scheme"]
        assert sum(a != b for a, b in zip(search.samples[i]["scheme"], best, strict=True)) == 1


def test_bad_sizes():
    with pytest.raises(UserError, match="a tournament is of 1 to 4 schemes"):
        Evolution(4, None, population=4, tournament=5)
