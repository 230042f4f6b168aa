"""Two crops of a photograph: a random one to train on, the center to evaluate on."""

import math
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

_TRIES = 10
#: from this aspect ratio on the center is cut out before it is resized
_LONG = 32
#: (image (H, W, 3) uint8, size, rng or None) -> (size, size, 3) uint8
Crop = Callable[[np.ndarray, int, Any], np.ndarray]
#: (top, left, height, width) in pixels
Box = tuple[int, int, int, int]
#: what a JPEG decoder divides height and width by, at a part of the cost
REDUCTIONS = (8, 4, 2)
_AREA, _RATIO = (0.08, 1.0), (3 / 4, 4 / 3)


def random_resized_crop(
    image: np.ndarray,
    size: int,
    rng: np.random.Generator,
    area: tuple[float, float] = _AREA,
    ratio: tuple[float, float] = _RATIO,
) -> np.ndarray:
    """A random crop of the image, resized (Szegedy et al. 2014, https://arxiv.org/abs/1409.4842).

    As Gluon's RandomResizedCrop: after ten crops that do not fit, the largest centered one with a ratio in `ratio`.

    Args:
        image: (H, W, 3) uint8.
        size: height and width of the result.
        rng: source of everything random.
        area: range of the crop's share of the image, drawn uniformly.
        ratio: range of width / height, whose logarithm is drawn uniformly.

    Returns:
        (size, size, 3) uint8.
    """
    height, width = image.shape[:2]
    return cut(image, random_box(height, width, rng, area, ratio), size)


def random_box(
    height: int,
    width: int,
    rng: np.random.Generator,
    area: tuple[float, float] = _AREA,
    ratio: tuple[float, float] = _RATIO,
) -> Box:
    """Where `random_resized_crop` crops an image of this size."""
    for _ in range(_TRIES):
        share, shape = rng.uniform(*area), math.exp(rng.uniform(math.log(ratio[0]), math.log(ratio[1])))
        w, h = (round(math.sqrt(height * width * share * r)) for r in (shape, 1 / shape))
        if 0 < w <= width and 0 < h <= height:
            left, top = rng.integers(0, width - w + 1), rng.integers(0, height - h + 1)
            return int(top), int(left), h, w
    w, h = min(width, round(height * ratio[1])), min(height, round(width / ratio[0]))
    return (height - h) // 2, (width - w) // 2, h, w


def cut(image: np.ndarray, box: Box, size: int) -> np.ndarray:
    """The box of an image (H, W, 3) uint8, resized to (size, size, 3)."""
    top, left, height, width = box
    return _resized(image[top : top + height, left : left + width], size, size)


def fits(box: Box, image: np.ndarray) -> bool:
    """Whether the box lies within an image (H, W, 3)."""
    return box[0] + box[2] <= image.shape[0] and box[1] + box[3] <= image.shape[1]


def reduction(box: Box, size: int) -> int:
    """The largest of `REDUCTIONS` after which the box still has `size` pixels in height and width; 1 if none is."""
    return next((factor for factor in REDUCTIONS if min(box[2:]) >= factor * size), 1)


def reduced(box: Box, factor: int) -> Box:
    """The box in an image of 1 / factor of the height and the width, to the nearest pixel."""
    top, left, height, width = box
    (above, below), (before, behind) = (
        (round(start / factor), round((start + length) / factor)) for start, length in ((top, height), (left, width))
    )
    return above, before, below - above, behind - before


def center_crop(
    image: np.ndarray, size: int, rng: np.random.Generator | None = None, ratio: float = 0.875
) -> np.ndarray:
    """Resize the shorter side to size / ratio, rounded up, and crop the center.

    Of a long image only the center is resized, at the same points: a row of 60,000 pixels would take gigabytes
    otherwise. All others keep OpenCV's arithmetic, whose rounding differs by one level at most.

    Args:
        image: (H, W, 3) uint8.
        size: height and width of the result.
        rng: not used.
        ratio: side of the crop over the shorter side (default 0.875).

    Returns:
        (size, size, 3) uint8.
    """
    height, width = image.shape[:2]
    shorter = math.ceil(size / ratio)
    scale = shorter / min(height, width)
    height, width = (max(shorter, round(side * scale)) for side in (height, width))
    if max(height, width) > _LONG * shorter:
        return _resized_center(image, height, width, size)
    return _centered(_resized(image, height, width), size, size)


def _resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)  # as Gluon's transforms


def _centered(image: np.ndarray, height: int, width: int) -> np.ndarray:
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]


def _resized_center(image: np.ndarray, height: int, width: int, size: int) -> np.ndarray:
    """`_centered(_resized(image, height, width), size, size)`, but only the center is ever computed."""
    top, bottom, down = _neighbors(image.shape[0], height, size)
    left, right, across = _neighbors(image.shape[1], width, size)
    rows = [(image[row[:, None], left], image[row[:, None], right]) for row in (top, bottom)]
    first, second = (_between(*pair, across[None, :, None]) for pair in rows)
    return np.rint(_between(first, second, down[:, None, None])).astype(np.uint8)


def _neighbors(old: int, new: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The old pixels before and after each of the `size` pixels in the middle of `new`, and its way between them."""
    points = ((new - size) // 2 + np.arange(size) + 0.5) * old / new - 0.5
    points = points.clip(0, old - 1)
    before = np.floor(points).astype(np.intp)
    return before, np.minimum(before + 1, old - 1), points - before


def _between(one: np.ndarray, other: np.ndarray, way: np.ndarray) -> np.ndarray:
    return one * (1 - way) + other * way
