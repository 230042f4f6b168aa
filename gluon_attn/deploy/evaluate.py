"""How many images a network gets right, which classes it confuses, and how long it takes."""

import time
from dataclasses import dataclass, field

import numpy as np

from ..utils.errors import UserError
from ..utils.log import get_logger


@dataclass(frozen=True)
class Score:
    """Result on `images` images: `correct` in the first place, `among_five` in the first five (None up to 5 classes).

    `ms` is the time for one image, preprocessing included, at the batch size asked for. `confusion` (classes, classes)
    counts images: a row for each class, a column for each that the network took them for.
    """

    images: int
    correct: int
    among_five: int | None
    ms: float
    confusion: np.ndarray = field(repr=False, compare=False)

    def to_dict(self):
        """Plain data without the confusion; accuracies are from 0 to 1."""
        result = {"images": self.images, "correct": self.correct, "accuracy": self.correct / self.images}
        if self.among_five is not None:
            result["top5"] = self.among_five / self.images
        return {**result, "ms_per_image": self.ms}


def score(predictor, test, batch_size=128):
    """The `Score` of a `Predictor` on a set of images (see `data.base`); a warning tells of unreadable ones."""
    classes, spent, parts, unread = predictor.card.classes, 0.0, [], []
    for first in range(0, len(test), batch_size):
        images, labels, complaints = test.take(np.arange(first, min(first + batch_size, len(test))), None)
        unread += complaints
        if not len(labels):
            continue
        if labels.max() >= classes:
            raise UserError(f"the test set has {labels.max() + 1} classes or more, the network {classes}")
        if not parts:
            predictor.predict(images, batch_size)  # memory and kernels are set up in the first pass
        start = time.perf_counter()
        logits = predictor.predict(images, batch_size)
        spent += time.perf_counter() - start
        parts.append((top(logits, 5), labels))
    if not parts:
        raise UserError(f"no test image can be read: {unread[0]}")
    if unread:
        get_logger().warning("left out %d images that cannot be read: %s", len(unread), "; ".join(unread[:3]))
    five, labels = map(np.concatenate, zip(*parts, strict=True))
    return Score(
        images=len(labels),
        correct=int((five[:, 0] == labels).sum()),
        among_five=int((five == labels[:, None]).any(axis=1).sum()) if classes > 5 else None,
        ms=spent * 1000 / len(labels),
        confusion=np.bincount(labels * classes + five[:, 0], minlength=classes**2).reshape(classes, classes),
    )


def by_class(confusion, names):
    """Plain data of each class that has images, the worst first: {"class", "images", "accuracy", "mistaken_for"}.

    mistaken_for: the other class that its images were most often taken for, and how often; None if they never were.
    """
    rows = []
    for number, name in enumerate(names):
        images, correct = int(confusion[number].sum()), int(confusion[number, number])
        others = confusion[number].copy()
        others[number] = 0
        worst = int(others.argmax())
        mistaken = {"class": names[worst], "images": int(others[worst])} if others[worst] else None
        if images:
            rows.append({"class": name, "images": images, "accuracy": correct / images, "mistaken_for": mistaken})
    return sorted(rows, key=lambda row: row["accuracy"])


def top(logits, count):
    """Indices (N, count) of the largest logits, best first; among equals the first."""
    return np.argsort(-logits, axis=1, kind="stable")[:, :count]


def probabilities(logits):
    """Softmax over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)
