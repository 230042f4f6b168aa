"""What a search remembers to learn from again."""

from collections import deque
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Memory:
    """The samples of one step: choices and their chances at that time, samples,blocks; a reward for each sample."""

    step: int
    actions: np.ndarray
    chances: np.ndarray
    rewards: np.ndarray


class Replay:
    """The last `size` memories."""

    def __init__(self, size):
        self.memories = deque(maxlen=size)

    def add(self, memory):
        """Keep one; the oldest goes when there are too many."""
        self.memories.append(memory)

    def pick(self, random):
        """One of them by chance."""
        return self.memories[random.integers(len(self.memories))]

    def arrays(self):
        """Name -> array of all memories; empty where there are none."""
        if not self.memories:
            return {}
        names = Memory.__dataclass_fields__
        return {name: np.stack([np.asarray(getattr(memory, name)) for memory in self.memories]) for name in names}

    def set_arrays(self, arrays):
        """The inverse of `arrays`."""
        self.memories.clear()
        if arrays:
            for step, *rest in zip(*(arrays[name] for name in Memory.__dataclass_fields__), strict=True):
                self.add(Memory(int(step), *rest))
