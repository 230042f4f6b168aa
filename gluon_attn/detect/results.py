"""Detections of an image, and COCO's format for them: a JSON list with one entry for each object found."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ..utils.checks import is_number
from ..utils.errors import UserError
from ..utils.files import read_json, write_text
from . import paste, rle

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


def to_results(
    found: Detections, image_id: int, size: tuple[int, int], category_ids: Sequence[int]
) -> list[Result]:
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
        entry = {"image_id": int(image_id), "category_id": int(category_ids[label]), "score": _short(scores[i])}
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


def write_results(path: Path | str, results: Sequence[Result]) -> None:
    """Write entries to a JSON file, one a line, whole or not at all.

    Raises:
        UserError: a score is no number (`check_scores`), or the file cannot be written.
    """
    check_scores(results, str(path))
    lines = ",\n".join(json.dumps(entry, allow_nan=False) for entry in results)
    write_text(path, f"[\n{lines}\n]\n" if lines else "[]\n")


def read_results(path: Path | str) -> list[Result]:
    """Read a file of results, of this or another program.

    Args:
        path: a JSON list. Each entry has a box or a mask, all of them the same; masks are RLE, compressed or not.

    Returns:
        The entries, with nothing but the keys of `Result`, masks compressed.

    Raises:
        UserError: it cannot be read, or an entry is wrong: file, entry (the first is 0) and reason.
    """
    found = read_json(path)
    if not isinstance(found, list):
        raise UserError(f"{path} holds no COCO results: it must be a list, one entry for each object found")
    results: list[Result] = []
    for index, entry in enumerate(found):
        try:
            result = _checked(entry)
            if results and result.keys() != results[0].keys():
                odd = min(result.keys() ^ results[0].keys())
                raise UserError(f"{odd} must be in all entries or in none")
        except UserError as error:
            raise UserError(f"{path}, entry {index} (the first is 0): {error}") from None
        results.append(result)
    return results


def check_scores(results: Sequence[Mapping[str, Any]], name: str) -> None:
    """Refuse entries whose score or box is no finite number.

    Args:
        results: the entries.
        name: what messages call the list.

    Raises:
        UserError: the first such entry.
    """
    for index, entry in enumerate(results):
        for key, values in (("score", [entry.get("score")]), ("bbox", entry.get("bbox", ()))):
            if not all(is_number(value) and math.isfinite(value) for value in values):
                raise UserError(f"{name}, entry {index} (the first is 0): {key} must be finite, got {entry.get(key)!r}")


def _checked(entry: Any) -> Result:
    """One entry of a file; `UserError` with the reason only."""
    if not isinstance(entry, dict):
        raise UserError(f'it must be an object such as {{"image_id": 1, "category_id": 1, ...}}, got {_brief(entry)}')
    result: Result = {}
    for key in ("image_id", "category_id"):
        if not isinstance(entry.get(key), Integral) or isinstance(entry[key], bool):
            raise UserError(f"{key} must be a whole number, got {_brief(entry.get(key))}")
        result[key] = entry[key]
    if not _is_finite(entry.get("score")):
        raise UserError(f"score must be a finite number, got {_brief(entry.get('score'))}")
    result["score"] = entry["score"]
    box, mask = entry.get("bbox"), entry.get("segmentation")
    if box is not None:
        if not isinstance(box, list) or len(box) != 4 or not all(map(_is_finite, box)) or min(box[2:]) < 0:
            raise UserError(f"bbox must be [x, y, width, height], got {_brief(box)}")
        result["bbox"] = box
    if mask is not None:
        try:
            result["segmentation"] = rle.compressed(mask)
        except UserError as error:
            raise UserError(f"segmentation must be a run-length code: {error}") from None
    if box is None and mask is None:
        raise UserError("it has neither bbox nor segmentation")
    return result


def _is_finite(value: Any) -> bool:
    return is_number(value) and math.isfinite(value)


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _short(value: np.float32) -> float:
    """The number with the fewest digits that float32 rounds to `value`."""
    return float(str(value))
