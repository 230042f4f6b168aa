"""Bytes of every process of a run, joined by sums: all that a backend needs to offer."""

from collections.abc import Callable, Sequence

import numpy as np

_CHUNK = 1 << 20  # bytes that one sum carries


def gathered(own: bytes, rank: int, size: int, total: Callable[[Sequence[float]], Sequence[float]]) -> list[bytes]:
    """What each process gave, in their order; all processes call it.

    Args:
        own: of this process; lengths may differ.
        rank: number of this process.
        size: number of processes.
        total: sums a list of numbers over the processes.
    """
    if size == 1:
        return [own]
    lengths = [int(length) for length in total([len(own) if number == rank else 0 for number in range(size)])]
    starts = np.cumsum([0, *lengths])
    joined = np.zeros(starts[-1], "uint8")
    joined[starts[rank] : starts[rank + 1]] = np.frombuffer(own, "uint8")
    summed = [
        np.asarray(total(joined[i : i + _CHUNK].astype(float).tolist()), "uint8") for i in range(0, len(joined), _CHUNK)
    ]
    everything = np.concatenate([np.zeros(0, "uint8"), *summed]).tobytes()
    return [everything[starts[number] : starts[number + 1]] for number in range(size)]
