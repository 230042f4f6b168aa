"""The accuracy of schemes on one set of images."""

from functools import partial

import mxnet as mx

from ...engine.classification import evaluate_all
from ...engine.precision import training_operators
from ...utils.errors import UserError
from .prefix_cache import Remembering

_LARGEST = 2 << 30  # bytes of images that are kept in memory


class Evaluator:
    """Called with a list of schemes it gives their accuracies in percent; each scheme is evaluated once.

    supernet: a `Supernet`, trained. loader: gives the same batches at each `epoch(0)`; they are kept where they take
    no more than 2 GiB, and with one device what the blocks made of them, see `Remembering`. contexts: the devices that
    the network is on (default: the CPU). backend: the processes that share the work, each of which sees all images of
    its schemes (default: this one alone). They must all ask for the same schemes.
    `known`: scheme -> {"accuracy" in percent, "loss"}; it may be filled with what was found before.
    """

    def __init__(self, supernet, loader, contexts=None, backend=None):
        self.supernet, self._contexts = supernet, list(contexts or [mx.cpu()])
        self._rank, self._size = (backend.rank, backend.size) if backend else (0, 1)
        self._total = backend.allreduce_sum if backend else list
        self._loader, self.known = _held(loader, self._contexts), {}
        self._net = Remembering(supernet) if len(self._contexts) == 1 else supernet
        if self._net is not supernet and not isinstance(self._loader, _Held):
            self._loader = _Changing(self._loader, self._net)

    def __call__(self, schemes):
        new = [scheme for scheme in dict.fromkeys(schemes) if scheme not in self.known]
        if new:
            self.known.update(zip(new, self._scores(new), strict=True))
        return [self.known[scheme]["accuracy"] for scheme in schemes]

    def loss(self, scheme):
        """{"loss": of a scheme that was evaluated}, for its record."""
        return {"loss": self.known[scheme]["loss"]}

    def recall(self, samples):
        """Take over what records of a search say."""
        for record in samples:
            self.known[record["scheme"]] = {name: record[name] for name in ("accuracy", "loss")}

    def _scores(self, schemes):
        """{"accuracy", "loss"} of each of the schemes, of which this process tries its share."""
        own, found = schemes[self._rank :: self._size], []
        if own:
            with training_operators("float32", self._contexts, "auto"):
                found = evaluate_all([partial(self._run, scheme) for scheme in own], self._loader, self._contexts)
        scores = dict(zip(own, found, strict=True))
        others = {"accuracy": 0.0, "loss": 0.0}  # whose turn it is add theirs
        sums = self._total([scores.get(scheme, others)[name] for scheme in schemes for name in ("accuracy", "loss")])
        return [{"accuracy": 100 * a, "loss": b} for a, b in zip(sums[::2], sums[1::2], strict=True)]

    def _run(self, scheme, x):
        self.supernet.scheme = scheme
        return self._net(x)


class _Held:
    """Batches as a loader gives them."""

    def __init__(self, batches):
        self._batches = batches

    def epoch(self, number):
        return iter(self._batches)


class _Changing:
    """Batches that a loader makes anew in each pass: what was remembered of one ends with it."""

    def __init__(self, loader, memory):
        self._loader, self._memory = loader, memory

    def epoch(self, number):
        for batch in self._loader.epoch(number):
            yield batch
            self._memory.forget()


def _held(loader, contexts):
    """A loader with the same batches, in memory if they are not too large for it; without any a `UserError`.

    With one device they lie there, so that each pass has the same arrays.
    """
    held, size = [], 0
    for data, label in loader.epoch(0):
        held.append((data, label) if len(contexts) > 1 else (data.as_in_context(contexts[0]), label))
        size += 4 * data.size
        if size > _LARGEST:
            return loader
    if not held:
        raise UserError("there are no images to evaluate schemes on")
    return _Held(held)
