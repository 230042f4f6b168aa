"""What a scheme is worth."""

from collections.abc import Callable
from dataclasses import dataclass


def unconnected(bits):
    """Share of the blocks that a scheme leaves out."""
    return bits.count("0") / len(bits)


@dataclass(frozen=True)
class Reward:
    """accuracy + weight * saved(scheme) - base, the accuracy in percent.

    saved: what a scheme saves, from 0 to 1; `unconnected` counts blocks, a measured share of time may stand for it.
    base: moves all rewards alike, so that the first steps do not begin far from zero.
    """

    weight: float = 2.0
    base: float = 54.0
    saved: Callable = unconnected

    def __call__(self, bits, accuracy):
        return accuracy + self.weight * self.saved(bits) - self.base
