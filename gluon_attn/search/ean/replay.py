"""Replay buffer: past steps of a search, from which the policy learns again."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

#: field of a `ReplayStep` -> its key in a saved state
_STATE_KEYS = {"step": "step", "actions": "actions", "probabilities": "chances", "rewards": "rewards"}


@dataclass(frozen=True)
class ReplayStep:
    """One step of a search.

    Attributes:
        step: its number.
        actions: (samples, blocks), each 0 or 1.
        probabilities: (samples, blocks), of the actions under the policy that sampled them.
        rewards: (samples,).
    """

    step: int
    actions: np.ndarray
    probabilities: np.ndarray
    rewards: np.ndarray


class ReplayBuffer:
    """The last steps of a search.

    Args:
        size: number of steps that are kept.

    Attributes:
        steps: the `ReplayStep`s, oldest first.
    """

    steps: deque[ReplayStep]

    def __init__(self, size: int) -> None:
        self.steps = deque(maxlen=size)

    def add(self, step: ReplayStep) -> None:
        """Adds a step; a full buffer drops the oldest."""
        self.steps.append(step)

    def sample(self, random: np.random.Generator) -> ReplayStep:
        """One of the steps at random."""
        return self.steps[random.integers(len(self.steps))]

    def arrays(self) -> dict[str, np.ndarray]:
        """State key -> array, stacked over the steps; empty for an empty buffer."""
        if not self.steps:
            return {}
        return {
            key: np.stack([np.asarray(getattr(step, field)) for step in self.steps])
            for field, key in _STATE_KEYS.items()
        }

    def set_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restores what `arrays` gave."""
        self.steps.clear()
        if arrays:
            for step, *rest in zip(*(arrays[key] for key in _STATE_KEYS.values()), strict=True):
                self.add(ReplayStep(int(step), *rest))
