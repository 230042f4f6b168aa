"""Evaluating connection schemes: the supernet's accuracy with each scheme on a fixed set of images."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import mxnet as mx

from ...engine.classification import evaluate_all
from ...engine.precision import training_operators
from ...utils.errors import UserError
from .prefix_cache import PrefixCache
from .supernet import Supernet

_MAX_BYTES = 2 << 30  # of images that are kept in memory

Batch = tuple[mx.nd.NDArray, mx.nd.NDArray]


class Evaluator:
    """Called with a list of schemes, gives their accuracies in percent; each scheme is evaluated once.

    Images of up to 2 GiB are kept in memory. On one device the outputs of blocks are cached, see `PrefixCache`.
    With several processes each evaluates its part of the schemes on all images; all must be given the same schemes.

    Args:
        supernet: a trained `Supernet`.
        loader: its `epoch(0)` gives the same batches each time.
        contexts: devices of the supernet (default: the CPU).
        backend: the processes that share the work (default: this one alone).

    Attributes:
        scores: evaluated scheme -> {"accuracy": in percent, "loss": ...}.

    Raises:
        UserError: if the loader has no images.
    """

    scores: dict[str, dict[str, float]]

    def __init__(
        self, supernet: Supernet, loader: Any, contexts: Sequence[mx.Context] | None = None, backend: Any = None
    ) -> None:
        self.supernet, self._contexts = supernet, list(contexts or [mx.cpu()])
        self._rank: int = backend.rank if backend else 0
        self._size: int = backend.size if backend else 1
        self._sum_over_processes = backend.allreduce_sum if backend else list
        self._loader, self.scores = _in_memory(loader, self._contexts), {}
        self._net = PrefixCache(supernet) if len(self._contexts) == 1 else supernet
        if isinstance(self._net, PrefixCache) and not isinstance(self._loader, _InMemory):
            self._loader = _ClearingCache(self._loader, self._net)

    def __call__(self, schemes: Sequence[str]) -> list[float]:
        new = [scheme for scheme in dict.fromkeys(schemes) if scheme not in self.scores]
        if new:
            self.scores.update(zip(new, self._evaluate(new), strict=True))
        return [self.scores[scheme]["accuracy"] for scheme in schemes]

    def details(self, scheme: str) -> dict[str, float]:
        """{"loss"} of an evaluated scheme, for the record of a search."""
        return {"loss": self.scores[scheme]["loss"]}

    def restore(self, samples: Iterable[dict[str, Any]]) -> None:
        """Takes the scores from `samples`, the records of an earlier search, see `Searcher.samples`."""
        for record in samples:
            self.scores[record["scheme"]] = {name: record[name] for name in ("accuracy", "loss")}

    def _evaluate(self, schemes: list[str]) -> list[dict[str, float]]:
        """{"accuracy", "loss"} of each scheme, of which this process evaluates its share."""
        own, results = schemes[self._rank :: self._size], []
        if own:
            with training_operators("float32", self._contexts, "auto"):
                results = evaluate_all([partial(self._forward, scheme) for scheme in own], self._loader, self._contexts)
        scores = dict(zip(own, results, strict=True))
        no_score = {"accuracy": 0.0, "loss": 0.0}  # another process adds its result
        flat = [scores.get(scheme, no_score)[name] for scheme in schemes for name in ("accuracy", "loss")]
        sums = self._sum_over_processes(flat)
        return [{"accuracy": 100 * a, "loss": b} for a, b in zip(sums[::2], sums[1::2], strict=True)]

    def _forward(self, scheme: str, x: mx.nd.NDArray) -> mx.nd.NDArray:
        self.supernet.scheme = scheme
        return self._net(x)


class _InMemory:
    """A loader of batches that are in memory."""

    def __init__(self, batches: list[Batch]) -> None:
        self._batches = batches

    def epoch(self, number: int) -> Iterator[Batch]:
        return iter(self._batches)


class _ClearingCache:
    """A loader that makes new batches in each epoch: the prefix cache is cleared after each batch."""

    def __init__(self, loader: Any, cache: PrefixCache) -> None:
        self._loader, self._cache = loader, cache

    def epoch(self, number: int) -> Iterator[Batch]:
        for batch in self._loader.epoch(number):
            yield batch
            self._cache.clear()


def _in_memory(loader: Any, contexts: Sequence[mx.Context]) -> Any:
    """The loader's batches in memory, or the loader itself if they are larger than `_MAX_BYTES`.

    With one device the images are copied there, so that every epoch gives the same arrays.
    """
    batches, size = [], 0
    for data, label in loader.epoch(0):
        batches.append((data, label) if len(contexts) > 1 else (data.as_in_context(contexts[0]), label))
        size += 4 * data.size
        if size > _MAX_BYTES:
            return loader
    if not batches:
        raise UserError("there are no images to evaluate schemes on")
    return _InMemory(batches)
