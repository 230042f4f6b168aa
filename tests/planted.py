"""A problem with a known solution: accuracies of all schemes of 12 blocks."""

import numpy as np

from gluon_attn.search.ean.reward import Reward

BLOCKS = 12
ALL = [f"{i:0{BLOCKS}b}" for i in range(2**BLOCKS)]


class Planted:
    """Blocks change the accuracy alone and in pairs, in percent; each evaluation adds normal noise of 0.5.

    `evaluate` is the function that a search takes; `rank(scheme)` is 0 for the scheme with the best true reward.
    """

    def __init__(self, seed, noise=0.5):
        random = np.random.default_rng([seed, 1])
        bits = np.array([[int(bit) for bit in scheme] for scheme in ALL])
        alone, pairs = random.normal(0, 0.6, BLOCKS), np.triu(random.normal(0, 0.25, (BLOCKS, BLOCKS)), 1)
        self.accuracies = dict(zip(ALL, 54 + bits @ alone + ((bits @ pairs) * bits).sum(1), strict=True))
        self.rewards = {scheme: Reward()(scheme, accuracy) for scheme, accuracy in self.accuracies.items()}
        self._order = sorted(ALL, key=self.rewards.get, reverse=True)
        self._noise, self._random, self.evaluations = noise, np.random.default_rng([seed, 2]), 0

    def rank(self, scheme):
        """Number of schemes with a better true reward."""
        return self._order.index(scheme)

    def evaluate(self, schemes):
        """Noisy accuracies in percent."""
        self.evaluations += len(schemes)
        return [self.accuracies[scheme] + self._random.normal(0, self._noise) for scheme in schemes]
