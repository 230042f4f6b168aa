"""Searches to compare with: schemes by chance, and regularised evolution."""

import numpy as np

from ...utils.errors import UserError
from .searcher import Searcher


class RandomSearch(Searcher):
    """Every block connected or not with a chance of one half."""

    name = "random"

    def propose(self):
        return self.random.integers(0, 2, (self.count, self.blocks))


class Evolution(Searcher):
    """Regularised evolution, Real et al. 2018, https://arxiv.org/abs/1802.01548.

    The best of `tournament` of the youngest `population` schemes, drawn by chance, has a child in which one bit is
    another; the oldest goes. Before there are enough, schemes come by chance. Otherwise as `Searcher`.
    """

    name = "evolution"

    def __init__(self, blocks, evaluate, *, population=30, tournament=8, **options):
        super().__init__(blocks, evaluate, **options)
        if not 1 <= tournament <= population:
            raise UserError(f"a tournament is of 1 to {population} schemes, all there are, got {tournament}")
        self._population, self._tournament = population, tournament

    def propose(self):
        if len(self.samples) < self._population:
            return self.random.integers(0, 2, (self.count, self.blocks))
        return np.stack([self._child() for _ in range(self.count)])

    def _child(self):
        living = self.samples[-self._population :]
        drawn = self.random.choice(self._population, self._tournament, replace=False)
        parent = max((living[i] for i in drawn), key=lambda record: record["reward"])
        child = np.array([int(bit) for bit in parent["scheme"]])
        child[self.random.integers(self.blocks)] ^= 1
        return child
