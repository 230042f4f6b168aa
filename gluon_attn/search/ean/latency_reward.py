"""What leaving a block unconnected saves in time, from measured latencies."""

import statistics

from ...models.scheme import by_stage

_ROUNDS = 5


def stage_times(supernet, measure):
    """Time that the attention of one block adds, a number for each stage, never negative.

    measure: function () -> time of the supernet with its present scheme. A stage's blocks have maps of one size, so
    what all of them add is divided by their number; the median of five rounds in which the schemes take turns.
    """
    blocks = supernet.blocks
    schemes = ["".join("1" * count if i == stage else "0" * count for i, count in enumerate(blocks))
               for stage in range(-1, len(blocks))]  # fmt: skip
    rounds = []
    for _ in range(_ROUNDS):
        times = []
        for supernet.scheme in schemes:
            times.append(measure())
        rounds.append([(time - times[0]) / count for time, count in zip(times[1:], blocks, strict=True)])
    return [max(0.0, statistics.median(column)) for column in zip(*rounds, strict=True)]


class TimeSaved:
    """Share, from 0 to 1, of the time that all attention costs which a scheme leaves out, for `Reward.saved`.

    times: of one block of each stage, see `stage_times`. blocks: their numbers. Where no time was measured at all
    blocks count alike.
    """

    def __init__(self, times, blocks):
        self._times, self._blocks = times if any(times) else [1.0] * len(blocks), blocks

    def __call__(self, bits):
        parts = zip(by_stage(bits, self._blocks), self._times, strict=True)
        whole = sum(time * count for time, count in zip(self._times, self._blocks, strict=True))
        return sum(part.count("0") * time for part, time in parts) / whole
