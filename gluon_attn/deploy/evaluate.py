"""Evaluate a network on labelled images: accuracy, which classes it confuses, and time per image."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..data.base import ImageSet
from ..utils.errors import UserError
from ..utils.log import get_logger
from ..utils.progress import each
from .predictor import Predictor


@dataclass(frozen=True)
class Score:
    """Result on a set of images.

    Attributes:
        images: Number of images.
        correct: How many are right by the most probable class (top-1).
        among_five: How many are right by the five most probable classes (top-5); None up to 5 classes.
        ms: Milliseconds per image, preprocessing included, at the batch size asked for.
        confusion: (classes,classes) counts of images: a row for each class, a column for each predicted class.
    """

    images: int
    correct: int
    among_five: int | None
    ms: float
    confusion: np.ndarray = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain data without the confusion; accuracies are from 0 to 1."""
        result: dict[str, Any] = {
            "images": self.images, "correct": self.correct, "accuracy": self.correct / self.images
        }  # fmt: skip
        if self.among_five is not None:
            result["top5"] = self.among_five / self.images
        return {**result, "ms_per_image": self.ms}


def evaluate_predictor(predictor: Predictor, test: ImageSet, batch_size: int = 128) -> Score:
    """Evaluate a `Predictor` on labelled images. Images that cannot be read are left out with a warning.

    Args:
        predictor: The network.
        test: Labelled images.
        batch_size: Images per pass.

    Raises:
        UserError: No image can be read, or one has a class that the network does not know.
    """
    classes, spent = predictor.card.classes, 0.0
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    unread: list[str] = []
    starts = range(0, len(test), batch_size)
    for first in each(starts, "evaluation", len(starts), "batch"):
        images, labels, complaints = test.take(np.arange(first, min(first + batch_size, len(test))), None)
        unread += complaints
        if not len(labels):
            continue
        if labels.max() >= classes:
            raise UserError(f"the test set has {int(labels.max()) + 1} classes or more, the network {classes}")
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


def by_class(confusion: np.ndarray, names: Sequence[str]) -> list[dict[str, Any]]:
    """Accuracy of each class that has images, the worst first.

    Args:
        confusion: As in `Score`.
        names: Names of the classes.

    Returns:
        A dict for each class: "class", "images", "accuracy", and "mistaken_for": {"class", "images"} of the class that
        was most often predicted instead, None if none ever was.
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


def top(logits: np.ndarray, count: int) -> np.ndarray:
    """Indices (N,count) of the `count` largest logits of each row, the largest first; among equals the first."""
    return np.argsort(-logits, axis=1, kind="stable")[:, :count]


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Softmax of `logits` over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)
