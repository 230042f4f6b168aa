"""The accuracy of schemes on one set of images."""

import mxnet as mx

from ..engine.evaluate import evaluate
from ..utils.errors import UserError


class Evaluator:
    """Called with a list of schemes it gives their accuracies in percent; each scheme is evaluated once.

    supernet: a `Supernet`, trained. batches: list of (images, labels), NDArrays, the same for all schemes. contexts:
    the devices that it is on (default: the CPU). `known`: scheme -> accuracy, which may
    be saved and given to another evaluator.
    """

    def __init__(self, supernet, batches, contexts=None, known=None):
        if not batches:
            raise UserError("there are no images to evaluate schemes on")
        self.supernet, self._batches, self._contexts = supernet, list(batches), list(contexts or [mx.cpu()])
        self.known = dict(known or {})

    def __call__(self, schemes):
        for scheme in schemes:
            if scheme not in self.known:
                self.supernet.scheme = scheme
                score = evaluate(self.supernet, self, self._contexts)
                self.known[scheme] = 100 * score["accuracy"]
        return [self.known[scheme] for scheme in schemes]

    def epoch(self, number):
        """The batches, as a loader gives them."""
        return self._batches


def subset(loader, images=None):
    """Batches of the first images of a loader, at least `images` of them where it has so many (default: all)."""
    batches, count = [], 0
    for data, label in loader.epoch(0):
        batches.append((data, label))
        count += len(data)
        if images is not None and count >= images:
            break
    return batches
