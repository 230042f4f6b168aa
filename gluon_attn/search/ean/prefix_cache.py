"""Prefix cache of block outputs: a scheme is evaluated from the first block in which it differs from earlier ones."""

import heapq
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from functools import partial

import mxnet as mx

from ...utils import process_memory
from ...utils.cpu import Host
from .supernet import Supernet

_SHARE = 4  # of the free memory: one in so many bytes

Arrays = Sequence[mx.nd.NDArray]


class PrefixCache:
    """A supernet for evaluation, called like it, that caches the output of each block by the bits up to that block.

    Images are recognized by identity: the same array must keep the same contents. The weights must not change. The
    output of the last block is not cached. If the cache is full, the outputs with the most requests per byte stay.

    Args:
        supernet: a `Supernet`.
        size: bytes of the cache (default: a quarter of the free memory).
    """

    def __init__(self, supernet: Supernet, size: int | None = None) -> None:
        self.supernet = supernet
        self._store = _ArrayStore(process_memory.available(Host()) // _SHARE if size is None else size)

    def __call__(self, x: mx.nd.NDArray) -> mx.nd.NDArray:
        """The output (N,classes) of the supernet with its current scheme for images (N,3,H,W)."""
        scheme = self.supernet.scheme
        self._images, self._scheme = x, scheme
        cached = [length for length in range(1, len(scheme)) if (id(x), scheme[:length]) in self._store]
        self._start, state = (cached[-1], self._store[id(x), scheme[: cached[-1]]]) if cached else (0, None)
        # what is computed before the cached output is discarded: one image is enough to get there
        first = 0
        for stage, count in zip(self.supernet.stages, self.supernet.blocks, strict=True):
            stage.override = partial(self._run_stage, first, count, state)
            first += count
        try:
            return self.supernet(x if state is None else x[:1])
        finally:
            for stage in self.supernet.stages:
                stage.override = None

    def clear(self) -> None:
        """Empties the cache; needed before an image array is reused for other images."""
        self._store.clear()

    def _run_stage(
        self, first: int, count: int, cached: Arrays | None, run: Callable[..., mx.nd.NDArray], x: mx.nd.NDArray
    ) -> mx.nd.NDArray:
        """Runs a stage from the cached output on; one that lies entirely before it passes `x` through."""
        after_block = partial(self._after_block, first)
        if cached is None or self._start <= first:
            return run(x, after_block=after_block)
        x, *state = cached
        return x if self._start > first + count else run(x, state, self._start - first, after_block)

    def _after_block(self, first: int, number: int, x: mx.nd.NDArray, state: Arrays) -> None:
        length = first + number + 1
        if length < len(self._scheme):
            self._store.offer((id(self._images), self._scheme[:length]), (x, *state), self._images)


class _ArrayStore:
    """Key -> arrays of at most `size` bytes; arrays with more requests per byte displace those with fewer."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.clear()

    def clear(self) -> None:
        """Empties the store and forgets the number of requests."""
        self.bytes = 0
        self._entries: dict[Hashable, tuple[Arrays, mx.nd.NDArray]] = {}
        self._requests: Counter[Hashable] = Counter()
        self._queue: list[tuple[float, Hashable]] = []  # may hold outdated values

    def __contains__(self, key: Hashable) -> bool:
        return key in self._entries

    def __getitem__(self, key: Hashable) -> Arrays:
        arrays, _ = self._entries[key]
        self._requests[key] += 1
        heapq.heappush(self._queue, (self._value(key, arrays), key))
        return arrays

    def offer(self, key: Hashable, arrays: Arrays, images: mx.nd.NDArray) -> None:
        """Stores arrays unless what they would displace has more requests per byte.

        Args:
            key: names `images` by their id.
            arrays: computed from `images`.
            images: kept alive with the arrays, so that no others get their id.
        """
        self._requests[key] += 1
        needed, value = _bytes(arrays), self._value(key, arrays)
        while needed <= self.size < self.bytes + needed and (least := self._least_valuable())[0] < value:
            self.bytes -= _bytes(self._entries.pop(least[1])[0])
        if self.bytes + needed <= self.size:
            self._entries[key] = arrays, images
            self.bytes += needed
            heapq.heappush(self._queue, (value, key))

    def _value(self, key: Hashable, arrays: Arrays) -> float:
        return self._requests[key] / _bytes(arrays)

    def _least_valuable(self) -> tuple[float, Hashable]:
        """(value, key) of the entry with the smallest value; outdated values are dropped from the queue."""
        while True:
            value, key = self._queue[0]
            if key in self._entries and value == self._value(key, self._entries[key][0]):
                return value, key
            heapq.heappop(self._queue)


def _bytes(arrays: Arrays) -> int:
    return 4 * sum(array.size for array in arrays)
