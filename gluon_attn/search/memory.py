"""What a supernet has made of the same images before, so that a scheme costs only the stages in which it is new."""

from collections import OrderedDict
from functools import partial

from ..models.scheme import by_stage

_SIZE = 1 << 30  # bytes


class Remembering:
    """A `Supernet` for evaluation, called as it is, that begins where its scheme parts from those before.

    The maps behind each stage but the last are kept by the bits up to there, for arrays that are given again, the same
    object with the same contents; those not used for longest go when there are more than `size` bytes. The weights must
    not change.
    """

    def __init__(self, supernet, size=_SIZE):
        self.supernet, self._size = supernet, size
        self._kept, self._bytes = OrderedDict(), 0

    def __call__(self, x):
        parts = by_stage(self.supernet.scheme, self.supernet.blocks)
        self._images, self._prefixes = x, ["".join(parts[: i + 1]) for i in range(len(parts) - 1)]
        self._start, self._found = self._longest(x)
        # where a stage is known what comes before it is not looked at: one image is enough to pass through
        for number, stage in enumerate(self.supernet.stages):
            stage.around = partial(self._stage, number)
        try:
            return self.supernet(x if self._found is None else x[:1])
        finally:
            for stage in self.supernet.stages:
                stage.around = None

    def _longest(self, x):
        """(the last stage whose result is known, that result), or (-1, None)."""
        for number in reversed(range(len(self._prefixes))):
            key = id(x), self._prefixes[number]
            if key in self._kept:
                self._kept.move_to_end(key)
                return number, self._kept[key][1]
        return -1, None

    def _stage(self, number, run, x):
        if number <= self._start:
            return self._found
        out = run(x)
        if number < len(self._prefixes):
            self._keep(self._prefixes[number], out)
        return out

    def _keep(self, prefix, out):
        # the images are kept with it: no other array can have their id meanwhile
        self._kept[id(self._images), prefix] = self._images, out.copy()  # a compiled block writes over its own
        self._bytes += 4 * out.size
        while self._bytes > self._size:
            self._bytes -= 4 * self._kept.popitem(last=False)[1][1].size
