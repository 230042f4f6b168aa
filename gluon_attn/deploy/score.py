"""How many images a network gets right, and how long it takes."""

import time
from dataclasses import dataclass

import numpy as np

from ..utils.errors import UserError


@dataclass(frozen=True)
class Score:
    """Result on `images` images: `correct` in the first place, `among_five` in the first five (None up to 5 classes).

    `ms` is the time for one image, preprocessing included, at the batch size asked for.
    """

    images: int
    correct: int
    among_five: int | None
    ms: float

    def to_dict(self):
        """Plain data; accuracies are from 0 to 1."""
        result = {"images": self.images, "correct": self.correct, "accuracy": self.correct / self.images}
        if self.among_five is not None:
            result["top5"] = self.among_five / self.images
        return {**result, "ms_per_image": self.ms}


def score(predictor, images, labels, batch_size=128):
    """The `Score` of a `Predictor` on images (N, H, W, C) uint8 with labels (N,)."""
    classes = predictor.card.classes
    if labels.max() >= classes:
        raise UserError(f"the test set has {labels.max() + 1} classes or more, the network {classes}")
    predictor.predict(images[:batch_size], batch_size)  # memory and kernels are set up in the first pass
    start = time.perf_counter()
    logits = predictor.predict(images, batch_size)
    ms = (time.perf_counter() - start) * 1000 / len(images)
    five = top(logits, 5) if classes > 5 else None
    return Score(
        images=len(images),
        correct=int((logits.argmax(axis=1) == labels).sum()),
        among_five=None if five is None else int((five == labels[:, None]).any(axis=1).sum()),
        ms=ms,
    )


def top(logits, count):
    """Indices (N, count) of the largest logits, best first; among equals the first."""
    return np.argsort(-logits, axis=1, kind="stable")[:, :count]


def probabilities(logits):
    """Softmax over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)
