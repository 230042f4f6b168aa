"""Masks of objects: polygons and COCO's run lengths, from and to 0/1 images.

Polygons are filled as pycocotools fills them, pixel for pixel, so that figures do not depend on who drew the mask;
pycocotools itself is not needed. Run lengths go down the columns, zeros first.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import cv2
import numpy as np

from ..utils.errors import UserError
from . import rle

#: polygons, float64 (k, 2) with x and y of each point, that are united; or {"size": [h, w], "counts": list or text};
#: or None where an object has no mask
Segments: TypeAlias = "Sequence[np.ndarray] | dict[str, Any] | None"

_FINE = 5  # the outline is drawn on a grid so many times finer


def rasterized(segments: Segments, height: int, width: int) -> np.ndarray:
    """The mask of an object as an image.

    Args:
        segments: polygons, or run lengths of an image of this size.
        height: of the image.
        width: of the image.

    Returns:
        (height, width) uint8, 0 or 1.

    Raises:
        ValueError: there is no mask, or the run lengths do not fit the image.
    """
    if segments is None:
        raise ValueError("an object without a mask cannot be drawn")
    if isinstance(segments, dict):
        run_lengths(segments, height, width)
        return np.ascontiguousarray(rle.to_mask(segments), np.uint8)
    columns = np.zeros(height * width, np.uint8)
    for polygon in segments:
        _fill(columns, polygon, height, width)
    return np.ascontiguousarray(columns.reshape(width, height).T)


def run_lengths(segments: dict[str, Any], height: int, width: int) -> np.ndarray:
    """The run lengths of COCO's RLE, from a list or from its compressed text.

    Args:
        segments: {"size": [h, w], "counts": list, text or bytes}.
        height: of the image.
        width: of the image.

    Returns:
        int64 vector.

    Raises:
        ValueError: they do not fit the image, or are none.
    """
    try:
        lengths = rle.runs(segments)
    except UserError as error:
        raise ValueError(f"of its run lengths: {error}") from None
    if list(segments["size"]) != [height, width]:
        raise ValueError(f"its run lengths are those of an image of size {segments['size']}, not {[height, width]}")
    return lengths


def to_rle(mask: np.ndarray) -> dict[str, Any]:
    """A 0/1 image (h, w) as run lengths that JSON takes: {"size": [h, w], "counts": [...]}."""
    pixels = np.asarray(mask, np.uint8).ravel(order="F")
    changes = np.flatnonzero(np.diff(pixels, prepend=0)) if pixels.size else np.zeros(0, np.int64)
    counts = np.diff(changes, prepend=0, append=pixels.size)
    return {"size": [int(side) for side in mask.shape], "counts": [int(count) for count in counts]}


def to_polygons(mask: np.ndarray) -> list[np.ndarray] | None:
    """Polygons along the edges of the pixels of a 0/1 image; `rasterized` gives back the same image.

    Args:
        mask: (h, w) uint8.

    Returns:
        float64 (k, 2) arrays; None where the mask has holes, which polygons cannot have.
    """
    filled = [np.flatnonzero(np.any(mask, axis=axis)) for axis in (1, 0)]
    if not len(filled[0]):
        return []
    top, left = (int(places[0]) for places in filled)
    part = mask[top : filled[0][-1] + 1, left : filled[1][-1] + 1]
    # in an image three times as large an outline through the centers of pixels rounds to their outer edges
    large = np.pad(np.asarray(part, np.uint8), 1).repeat(3, axis=0).repeat(3, axis=1)
    outlines, nesting = cv2.findContours(large, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if nesting is not None and (nesting[0, :, 3] >= 0).any():
        return None
    points = [np.rint((outline[:, 0] + 0.5) / 3) - 1 + [left, top] for outline in outlines]
    return [polygon[(polygon != np.roll(polygon, 1, axis=0)).any(axis=1)] for polygon in points]


def bounds(segments: Segments, height: int, width: int) -> tuple[float, float, float, float]:
    """x1, y1, x2, y2 around a mask: of the points of its polygons, or of the pixels of its run lengths.

    Args:
        segments: the mask; none, or an empty one, has the bounds 0, 0, 0, 0.
        height: of the image.
        width: of the image.
    """
    if not segments:
        return 0.0, 0.0, 0.0, 0.0
    if not isinstance(segments, dict):
        points = np.concatenate(list(segments))
        (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
        return float(x1), float(y1), float(x2), float(y2)
    mask = rasterized(segments, height, width)
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return 0.0, 0.0, 0.0, 0.0
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def area(segments: Segments, height: int, width: int) -> float:
    """Area of a mask in pixels: that within its polygons, overlaps counted twice, or the sum of its run lengths."""
    if isinstance(segments, dict):
        return float(run_lengths(segments, height, width)[1::2].sum())
    return float(sum(_enclosed(polygon) for polygon in segments or ()))


def _enclosed(polygon: np.ndarray) -> float:
    x, y = (polygon - polygon[0]).T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def _fill(columns: np.ndarray, polygon: np.ndarray, height: int, width: int) -> None:
    """Set the pixels inside a polygon to 1; `columns` are those of the image one after another.

    Its outline is walked in steps of one on a finer grid. Where a step to the left or right crosses the middle of a
    pixel column, the pixels below it, in the order of the columns, change between outside and inside.
    """
    start = np.trunc(_FINE * np.asarray(polygon, np.float64) + 0.5)  # towards zero, also left of the image
    x, y = _outline(start, np.roll(start, -1, axis=0))
    sideways = np.flatnonzero(np.diff(x)) + 1
    column = (np.minimum(x[sideways], x[sideways - 1]) + 0.5) / _FINE - 0.5
    row = (np.minimum(y[sideways], y[sideways - 1]) + 0.5) / _FINE - 0.5
    middle = (column == np.floor(column)) & (column >= 0) & (column <= width - 1)
    row = np.ceil(np.clip(row[middle], 0, height))
    places = (column[middle] * height + row).astype(np.int64)
    if len(places):
        first, last = places.min(), places.max()
        inside = np.cumsum(np.bincount(places - first)) & 1
        columns[first:last] |= inside[: last - first].astype(np.uint8)


def _outline(start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x and y of all grid points on the edges from `start` to `end`, both (k, 2), in their order."""
    steps = np.abs(end - start).max(axis=1).astype(np.int64)
    edge = np.repeat(np.arange(len(start)), steps + 1)
    step = np.arange(len(edge)) - np.repeat(np.cumsum(steps + 1) - steps - 1, steps + 1)
    long = np.abs(end - start).argmax(axis=1)  # 0: the edge is at least as wide as high
    rows = np.arange(len(start))
    # rounding depends on the direction: an edge is always computed from its lower end on the long axis
    turned = start[rows, long] > end[rows, long]
    low, high = (np.where(turned[:, None], *pair) for pair in ((end, start), (start, end)))
    slope = (high - low)[rows, 1 - long] / np.maximum(steps, 1)
    step = np.where(turned[edge], steps[edge] - step, step)
    along = low[rows, long][edge] + step
    across = np.trunc(low[rows, 1 - long][edge] + slope[edge] * step + 0.5)
    wide = long[edge] == 0
    return np.where(wide, along, across), np.where(wide, across, along)
