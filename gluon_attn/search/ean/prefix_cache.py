"""What a supernet has made of the same images before, so that a scheme costs only the blocks in which it is new."""

import heapq
from collections import Counter
from functools import partial

from ...utils import process_memory
from ...utils.cpu import Host

_PART = 4  # of the memory that is free, one


class Remembering:
    """A `Supernet` for evaluation, called as it is, that begins where its scheme parts from those before.

    The maps behind each block but the last are kept by the bits up to there, for arrays that are given again, the same
    object with the same contents. When there are more than `size` bytes (default: a quarter of what is free), those
    stay that were called for most often by their bytes. The weights must not change.
    """

    def __init__(self, supernet, size=None):
        self.supernet, self._kept = supernet, _Kept(process_memory.available(Host()) // _PART if size is None else size)

    def __call__(self, x):
        scheme = self.supernet.scheme
        self._images, self._scheme = x, scheme
        known = [length for length in range(1, len(scheme)) if (id(x), scheme[:length]) in self._kept]
        self._start, found = (known[-1], self._kept[id(x), scheme[: known[-1]]]) if known else (0, None)
        # what lies before a known map is not looked at: one image is enough to pass through
        before = 0
        for stage, count in zip(self.supernet.stages, self.supernet.blocks, strict=True):
            stage.around = partial(self._stage, before, count, found)
            before += count
        try:
            return self.supernet(x if found is None else x[:1])
        finally:
            for stage in self.supernet.stages:
                stage.around = None

    def forget(self):
        """Give up all maps, before other images come."""
        self._kept.clear()

    def _stage(self, before, count, found, run, x):
        after = partial(self._after, before)
        if self._start <= before:
            return run(x, after=after)
        x, *state = found
        return x if self._start > before + count else run(x, state, self._start - before, after)

    def _after(self, before, number, x, state):
        length = before + number + 1
        if length < len(self._scheme):
            self._kept.offer((id(self._images), self._scheme[:length]), (x, *state), self._images)


class _Kept:
    """Key -> arrays, of at most `size` bytes; `offer` keeps them where they are worth more than what has to go."""

    def __init__(self, size):
        self.size = size
        self.clear()

    def clear(self):
        """Keep nothing."""
        self.bytes, self._entries, self._asked, self._order = 0, {}, Counter(), []

    def __contains__(self, key):
        return key in self._entries

    def __getitem__(self, key):
        arrays, _ = self._entries[key]
        self._asked[key] += 1
        heapq.heappush(self._order, (self._worth(key, arrays), key))
        return arrays

    def offer(self, key, arrays, images):
        """Arrays that had to be made, from `images`, which the key names by their id."""
        self._asked[key] += 1
        needed, worth = _bytes(arrays), self._worth(key, arrays)
        while needed <= self.size < self.bytes + needed and (least := self._least())[0] < worth:
            self.bytes -= _bytes(self._entries.pop(least[1])[0])
        if self.bytes + needed <= self.size:
            self._entries[key] = arrays, images  # while the images are here no others have their id
            self.bytes += needed
            heapq.heappush(self._order, (worth, key))

    def _worth(self, key, arrays):
        return self._asked[key] / _bytes(arrays)

    def _least(self):
        """(worth, key) of the entry that is worth least; one that was called for again stands further back as well."""
        while True:
            worth, key = self._order[0]
            if key in self._entries and worth == self._worth(key, self._entries[key][0]):
                return worth, key
            heapq.heappop(self._order)


def _bytes(arrays):
    return 4 * sum(array.size for array in arrays)
