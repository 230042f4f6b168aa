"""Arithmetic of boxes, in NumPy: overlap, coding, suppression, anchors, pyramid levels.

Boxes are (n,4) arrays of x1, y1, x2, y2 in pixels, without any "+1": a box from 0 to 10 is 10 wide. Rules and rounding
are those of torchvision's Mask R-CNN (BSD, https://github.com/pytorch/vision), in float32.
"""

import math
from collections.abc import Sequence

import numpy as np

#: largest exponent of a decoded side: a box grows by no more than 1000/16 times
_LARGEST = math.log(1000.0 / 16)
_BLOCK = 256  # boxes whose overlaps `nms` computes at once


def area(boxes: np.ndarray) -> np.ndarray:
    """Area of each box, (n,)."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def iou(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Intersection over union of each pair of boxes, (n,m); 0 where both have no area."""
    shared = np.maximum(_shared_side(one, other, 0), 0)
    shared *= np.maximum(_shared_side(one, other, 1), 0)
    union = area(one)[:, None] + area(other)[None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _shared_side(one, other, axis):
    low = np.maximum(one[:, None, axis], other[None, :, axis])
    return np.minimum(one[:, None, axis + 2], other[None, :, axis + 2]) - low


def encode(boxes: np.ndarray, anchors: np.ndarray, weights: Sequence[float] = (1, 1, 1, 1)) -> np.ndarray:
    """The regression targets of boxes from their anchors, both (n,4): Ren et al. 2015, eq. 2.

    Args:
        boxes: the boxes.
        anchors: what they start from.
        weights: factors of dx, dy, dw, dh, such as (10, 10, 5, 5) for the second stage.

    Returns:
        (n,4): dx, dy, dw, dh.
    """
    (x, y, w, h), (ax, ay, aw, ah) = _centered(boxes), _centered(anchors)
    targets = np.stack([(x - ax) / aw, (y - ay) / ah, np.log(w / aw), np.log(h / ah)], axis=1)
    return (targets * np.asarray(weights, "float32")).astype("float32")


def decode(deltas: np.ndarray, anchors: np.ndarray, weights: Sequence[float] = (1, 1, 1, 1)) -> np.ndarray:
    """The boxes of regression outputs; sides grow by no more than 1000/16 times.

    Args:
        deltas: (n,4) or, for several boxes from one anchor, (n,k,4).
        anchors: (n,4).
        weights: as of `encode`.

    Returns:
        Boxes in the shape of `deltas`.
    """
    shape = (len(anchors), *(1,) * (deltas.ndim - 2))
    ax, ay, aw, ah = (part.reshape(shape) for part in _centered(anchors))
    dx, dy, dw, dh = np.moveaxis(deltas / np.asarray(weights, "float32"), -1, 0)
    x, y = dx * aw + ax, dy * ah + ay
    w, h = np.exp(np.minimum(dw, np.float32(_LARGEST))) * aw, np.exp(np.minimum(dh, np.float32(_LARGEST))) * ah
    half_w, half_h = np.float32(0.5) * w, np.float32(0.5) * h
    return np.stack([x - half_w, y - half_h, x + half_w, y + half_h], axis=-1).astype("float32")


def _centered(boxes):
    w, h = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    return boxes[:, 0] + np.float32(0.5) * w, boxes[:, 1] + np.float32(0.5) * h, w, h


def clip(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Boxes (...,4) cut at the border of an image of `size` (height, width)."""
    height, width = size
    return np.clip(boxes, 0, np.array([width, height, width, height], "float32"))


def large_enough(boxes: np.ndarray, smallest: float) -> np.ndarray:
    """Indices of the boxes whose sides both reach `smallest` pixels."""
    return np.flatnonzero((boxes[:, 2] - boxes[:, 0] >= smallest) & (boxes[:, 3] - boxes[:, 1] >= smallest))


def nms(boxes: np.ndarray, scores: np.ndarray, threshold: float, most: int | None = None) -> np.ndarray:
    """Non-maximum suppression: drops each box that overlaps a better one by more than `threshold`.

    Boxes without area drop none. Of equal scores the first is the better one.

    Args:
        boxes: (n,4).
        scores: (n,).
        threshold: largest IoU that both stay with.
        most: end after so many (default: all).

    Returns:
        Indices of those that stay, the best first.
    """
    order = np.argsort(-scores, kind="stable")
    sorted_boxes, kept = boxes[order], np.zeros(0, "int64")
    for start in range(0, len(order), _BLOCK):
        block = np.arange(start, min(start + _BLOCK, len(order)))
        if len(kept):  # of earlier blocks
            block = block[~(iou(sorted_boxes[block], sorted_boxes[kept]) > threshold).any(axis=1)]
        over = np.triu(iou(sorted_boxes[block], sorted_boxes[block]) > threshold, 1)
        alive = np.ones(len(block), bool)
        for number in np.flatnonzero(over.any(axis=1)):
            if alive[number]:
                alive &= ~over[number]
        kept = np.concatenate([kept, block[alive]])
        if most is not None and len(kept) >= most:
            kept = kept[:most]
            break
    return order[kept]


def grouped_nms(
    boxes: np.ndarray, scores: np.ndarray, groups: np.ndarray, threshold: float, most: int | None = None
) -> np.ndarray:
    """`nms` within each group, such as a class or a level: boxes of other groups drop none.

    Args:
        boxes, scores, threshold, most: as of `nms`.
        groups: (n,) integers.
    """
    if not len(boxes):
        return np.zeros(0, "int64")
    shift = groups.astype("float32") * (boxes.max() + np.float32(1))  # one pass, groups apart from each other
    return nms(boxes + shift[:, None], scores, threshold, most)


def cell_anchors(sizes: Sequence[float], ratios: Sequence[float], rounded: bool = True) -> np.ndarray:
    """The anchors of one place, around (0, 0), in the order of ratios and then sizes: (len(ratios)*len(sizes),4).

    Args:
        sizes: square roots of their areas.
        ratios: height / width.
        rounded: corners are whole numbers, as torchvision has them; MMDetection keeps them as they are.
    """
    tall = np.sqrt(np.asarray(ratios, "float32"))
    w = ((1 / tall)[:, None] * np.asarray(sizes, "float32")).reshape(-1)
    h = (tall[:, None] * np.asarray(sizes, "float32")).reshape(-1)
    corners = np.stack([-w, -h, w, h], axis=1) / 2
    return np.round(corners) if rounded else corners


def grid_anchors(cell: np.ndarray, shape: tuple[int, int], stride: tuple[int, int]) -> np.ndarray:
    """The anchors of a feature map, in the order of rows, columns and `cell`: (h*w*len(cell),4).

    Args:
        cell: of one place, see `cell_anchors`.
        shape: (h, w) of the feature map.
        stride: (vertical, horizontal) pixels between places.
    """
    y, x = np.meshgrid(
        np.arange(shape[0], dtype="float32") * stride[0], np.arange(shape[1], dtype="float32") * stride[1],
        indexing="ij",
    )  # fmt: skip
    places = np.stack([x, y, x, y], axis=-1).reshape(-1, 1, 4)
    return (places + cell[None]).reshape(-1, 4).astype("float32")


def roi_levels(boxes: np.ndarray, scale: float = 224, first: int = 2, last: int = 5) -> np.ndarray:
    """The pyramid level that each box is pooled from: Lin et al. 2017, eq. 1.

    Args:
        boxes: (n,4).
        scale: side of a square box on level 4.
        first, last: levels that there are.

    Returns:
        (n,) int32 from `first` to `last`.
    """
    side = np.sqrt(np.maximum(area(boxes), 0).astype("float32"))
    with np.errstate(divide="ignore"):
        level = np.floor(4 + np.log2(side / np.float32(scale)) + np.float32(1e-6))
    return np.clip(level, first, last).astype("int32")
