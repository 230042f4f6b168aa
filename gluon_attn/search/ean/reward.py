"""The reward of a connection scheme: accuracy plus a bonus for what unconnected blocks save, in blocks or in time."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...models.scheme import by_stage

if TYPE_CHECKING:  # at run time a reward needs no MXNet
    from .supernet import Supernet

_ROUNDS = 5


def unconnected_share(bits: str) -> float:
    """Fraction of the blocks, 0 to 1, that the scheme `bits` leaves unconnected: the sparsity of EAN's paper."""
    return bits.count("0") / len(bits)


@dataclass(frozen=True)
class Reward:
    """accuracy + weight * saved(scheme) - base.

    Attributes:
        weight: of the saving.
        base: subtracted from all rewards, so that they start near zero.
        saved: scheme -> its saving from 0 to 1: `unconnected_share` (default) or a `LatencySaving`.
    """

    weight: float = 2.0
    base: float = 54.0
    saved: Callable[[str], float] = unconnected_share

    def __call__(self, bits: str, accuracy: float) -> float:
        """The reward of a scheme with an accuracy in percent."""
        return accuracy + self.weight * self.saved(bits) - self.base


class LatencySaving:
    """The fraction of the latency of all attention modules that a scheme saves, 0 to 1, for `Reward.saved`.

    Args:
        latencies: of the attention of one block, one number per stage, see `stage_latencies`. If all are zero, every
            block counts the same.
        blocks: number of blocks of each stage.
    """

    def __init__(self, latencies: Sequence[float], blocks: Sequence[int]) -> None:
        self._latencies, self._blocks = latencies if any(latencies) else [1.0] * len(blocks), blocks

    def __call__(self, bits: str) -> float:
        stages = zip(by_stage(bits, self._blocks), self._latencies, strict=True)
        total = sum(latency * count for latency, count in zip(self._latencies, self._blocks, strict=True))
        return sum(stage_bits.count("0") * latency for stage_bits, latency in stages) / total


def stage_latencies(supernet: "Supernet", measure: Callable[[], float]) -> list[float]:
    """Measures the latency that the attention of one block adds in each stage.

    All feature maps of a stage have the same size, so the latency of all its attention modules is divided by their
    number. The schemes are measured in turn, five times; the median is taken.

    Args:
        supernet: its scheme is changed.
        measure: function () -> latency of the supernet with its current scheme.

    Returns:
        One number per stage in the unit of `measure`, never negative.
    """
    blocks = supernet.blocks
    schemes = ["".join("1" * count if i == stage else "0" * count for i, count in enumerate(blocks))
               for stage in range(-1, len(blocks))]  # fmt: skip
    rounds = []
    for _ in range(_ROUNDS):
        measured = []
        for supernet.scheme in schemes:
            measured.append(measure())
        unconnected, *connected = measured
        rounds.append([(latency - unconnected) / count for latency, count in zip(connected, blocks, strict=True)])
    return [max(0.0, statistics.median(column)) for column in zip(*rounds, strict=True)]
