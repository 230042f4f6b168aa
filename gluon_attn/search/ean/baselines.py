"""Baselines for EAN's search: random search and regularized evolution."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...utils.errors import UserError
from .searcher import Searcher


class RandomSearch(Searcher):
    """Schemes drawn uniformly at random; arguments as of `Searcher`."""

    name = "random"

    def propose(self) -> np.ndarray:
        """Random actions, see `Searcher.propose`."""
        return self.random.integers(0, 2, (self.samples_per_step, self.blocks))


class Evolution(Searcher):
    """Regularized evolution, Real et al. 2018, https://arxiv.org/abs/1802.01548.

    The population are the youngest schemes. The parent is the best of a random sample of it, the tournament; its child
    differs in one bit and replaces the oldest. Before the population is full, schemes are random.

    Args:
        blocks, evaluate, options: as of `Searcher`.
        population: its size.
        tournament: size of the random sample.

    Raises:
        UserError: for a tournament of less than one or more than `population` schemes.
    """

    name = "evolution"

    def __init__(
        self,
        blocks: int,
        evaluate: Callable[[list[str]], Sequence[float]],
        *,
        population: int = 30,
        tournament: int = 8,
        **options: Any,
    ) -> None:
        super().__init__(blocks, evaluate, **options)
        if not 1 <= tournament <= population:
            raise UserError(
                f"a tournament is of 1 to {population} schemes, the size of the population, got {tournament}"
            )
        self._population, self._tournament = population, tournament

    def propose(self) -> np.ndarray:
        """Children of the population, see `Searcher.propose`."""
        if len(self.samples) < self._population:
            return self.random.integers(0, 2, (self.samples_per_step, self.blocks))
        return np.stack([self._child() for _ in range(self.samples_per_step)])

    def _child(self) -> np.ndarray:
        population = self.samples[-self._population :]
        drawn = self.random.choice(self._population, self._tournament, replace=False)
        parent = max((population[i] for i in drawn), key=lambda record: record["reward"])
        child = np.array([int(bit) for bit in parent["scheme"]])
        child[self.random.integers(self.blocks)] ^= 1
        return child
