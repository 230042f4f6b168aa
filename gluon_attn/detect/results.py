"""Detections of an image, and COCO's format for them: a list with one entry for each object found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from ..data import rle
from . import paste

#: {"image_id", "category_id", "score", "bbox": [x, y, width, height], "segmentation": RLE}, the last two if known
Result: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Detections:
    """The objects found in one image, in its own pixels.

    Attributes:
        boxes: (n,4) float32, x1 y1 x2 y2.
        scores: (n,) float32.
        labels: (n,) int32, index of the class.
        masks: (n,m,m) float32, probabilities inside each box; None without masks.
        rles: the pixels of each object, where those are known and not `masks`, as in a file of results.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    masks: np.ndarray | None = None
    rles: tuple[rle.RLE, ...] | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    def above(self, score: float) -> "Detections":
        """Those with at least this score, best first; equal ones as they were."""
        order = np.argsort(-self.scores, kind="stable")
        kept = order[self.scores[order] >= score]
        return replace(
            self, boxes=self.boxes[kept], scores=self.scores[kept], labels=self.labels[kept],
            masks=None if self.masks is None else self.masks[kept],
            rles=None if self.rles is None else tuple(self.rles[i] for i in kept),
        )  # fmt: skip

    def encoded(self, size: tuple[int, int]) -> list[rle.RLE] | None:
        """The pixels of each object in an image of height and width `size`; None without masks."""
        if self.rles is not None:
            return list(self.rles)
        return None if self.masks is None else paste.encode_all(self.masks, self.boxes, size)


def to_results(found: Detections, image_id: int, size: tuple[int, int], category_ids: Sequence[int]) -> list[Result]:
    """The entries of one image.

    Args:
        found: its detections.
        image_id: COCO's number of it.
        size: its height and width.
        category_ids: COCO's number of each class.

    Returns:
        One entry each, in order. Numbers have the digits that float32 has.
    """
    boxes = np.asarray(found.boxes, np.float32)
    corners = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1)
    scores, masks = np.asarray(found.scores, np.float32), found.encoded(size)
    results = []
    for i, label in enumerate(found.labels):
        entry: Result = {"image_id": int(image_id), "category_id": int(category_ids[label]), "score": _short(scores[i])}
        entry["bbox"] = [_short(value) for value in corners[i]]
        results.append(entry if masks is None else {**entry, "segmentation": masks[i]})
    return results


def from_results(results: Sequence[Result], category_ids: Sequence[int]) -> dict[int, Detections]:
    """The detections of each image, in the order of the entries.

    Args:
        results: checked entries, with a box or a mask each.
        category_ids: COCO's number of each class; entries of others are left out.

    Returns:
        Image number -> its detections; `rles` has the masks.
    """
    labels = {category: label for label, category in enumerate(category_ids)}
    images: dict[int, list[Result]] = {}
    for entry in results:
        if entry["category_id"] in labels:
            images.setdefault(entry["image_id"], []).append(entry)
    found = {}
    for image_id, entries in images.items():
        boxes = np.array([entry.get("bbox") or rle.bounds(entry["segmentation"]) for entry in entries], np.float64)
        masked = all("segmentation" in entry for entry in entries)
        found[image_id] = Detections(
            np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1).astype(np.float32),
            np.array([entry["score"] for entry in entries], np.float32),
            np.array([labels[entry["category_id"]] for entry in entries], np.int32),
            rles=tuple(entry["segmentation"] for entry in entries) if masked else None,
        )
    return found


def _short(value: np.float32) -> float:
    """The number with the fewest digits that float32 rounds to `value`."""
    return float(str(value))
