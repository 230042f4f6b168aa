"""The accuracy of schemes on one set of images."""

import mxnet as mx

from ..engine.evaluate import evaluate
from ..engine.precision import training_operators
from ..utils.errors import UserError
from .memory import Remembering

_LARGEST = 2 << 30  # bytes of images that are kept in memory


class Evaluator:
    """Called with a list of schemes it gives their accuracies in percent; each scheme is evaluated once.

    supernet: a `Supernet`, trained. loader: gives the same batches at each `epoch(0)`; they are kept where they take
    no more than 2 GiB, and with one device what the stages made of them, see `Remembering`. contexts: the devices that
    the network is on (default: the CPU). backend: the processes that share the work, each of which sees all images of
    its schemes (default: this one alone). They must all ask for the same schemes.
    `known`: scheme -> {"accuracy" in percent, "loss"}; it may be filled with what was found before.
    """

    def __init__(self, supernet, loader, contexts=None, backend=None):
        self.supernet, self._contexts = supernet, list(contexts or [mx.cpu()])
        self._rank, self._size = (backend.rank, backend.size) if backend else (0, 1)
        self._total = backend.total if backend else list
        self._loader, self.known = _held(loader, self._contexts), {}
        remembers = isinstance(self._loader, _Held) and len(self._contexts) == 1
        self._net = Remembering(supernet) if remembers else supernet

    def __call__(self, schemes):
        new = [scheme for scheme in dict.fromkeys(schemes) if scheme not in self.known]
        found = [number for i, scheme in enumerate(new) for number in self._score(i, scheme)]
        if new:
            found = self._total(found)
        for scheme, accuracy, loss in zip(new, found[::2], found[1::2], strict=True):
            self.known[scheme] = {"accuracy": accuracy, "loss": loss}
        return [self.known[scheme]["accuracy"] for scheme in schemes]

    def loss(self, scheme):
        """{"loss": of a scheme that was evaluated}, for its record."""
        return {"loss": self.known[scheme]["loss"]}

    def recall(self, samples):
        """Take over what records of a search say."""
        for record in samples:
            self.known[record["scheme"]] = {name: record[name] for name in ("accuracy", "loss")}

    def _score(self, number, scheme):
        """(accuracy, loss) of new scheme `number`; zeros where it is another process's turn."""
        if number % self._size != self._rank:
            return 0.0, 0.0
        self.supernet.scheme = scheme
        with training_operators("float32", self._contexts, "auto"):
            scores = evaluate(self._net, self._loader, self._contexts)
        return 100 * scores["accuracy"], scores["loss"]


class _Held:
    """Batches as a loader gives them."""

    def __init__(self, batches):
        self._batches = batches

    def epoch(self, number):
        return iter(self._batches)


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
