"""Mask probabilities of a detector, 28x28 of a box, pasted into the image.

The mask gets a border of one zero, its box grows about its centre as much, the corners are cut to integers towards
zero, and the mask is enlarged bilinearly to it, with pixel centres at one half. Only pixels of the box are computed.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from ..data import rle

#: a pixel is inside where its probability is above
THRESHOLD = 0.5
_SMALL = 1 << 16  # pixels that fit a cache
_FARTHEST = 1e8  # pixels; boxes beyond are cut, so that corners fit integers


def paste(mask: np.ndarray, box: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Paste the probabilities of one object.

    Args:
        mask: (m,m) probabilities.
        box: x1, y1, x2, y2 in pixels of the image.
        size: height and width of the image.

    Returns:
        (H,W) float32; 0 outside the box.
    """
    image = np.zeros(size, np.float32)
    for x, y, columns in _blocks(mask, box, size):
        image[y : y + columns.shape[1], x : x + len(columns)] = columns.T
    return image


def paste_bits(mask: np.ndarray, box: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The pixels of one object, (H,W) bool: where `paste` is above one half."""
    return paste(mask, box, size) > THRESHOLD


def encode(mask: np.ndarray, box: np.ndarray, size: tuple[int, int]) -> rle.RLE:
    """The pixels of one object as RLE, without an image on the way; arguments as of `paste`."""
    blocks = [(x, y, columns > THRESHOLD) for x, y, columns in _blocks(mask, box, size)]
    if not blocks:
        return rle.from_window(np.zeros((0, 0), bool), (0, 0), size)
    return rle.from_window(np.concatenate([bits for *_, bits in blocks]), blocks[0][:2], size)


def encode_all(masks: np.ndarray, boxes: np.ndarray, size: tuple[int, int]) -> list[rle.RLE]:
    """RLE of each object of an image: masks (n,m,m) with boxes (n,4), as of `encode`."""
    return [encode(mask, box, size) for mask, box in zip(masks, boxes, strict=True)]


def _blocks(mask: np.ndarray, box: np.ndarray, size: tuple[int, int]) -> Iterator[tuple[int, int, np.ndarray]]:
    """x, y and values (w,h), a column of the image in each row, of the parts of a box that lie in the image.

    A large box comes in parts that fit a cache.
    """
    padded = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), np.float32)
    padded[1:-1, 1:-1] = mask
    low, high = _corners(np.asarray(box, np.float32), mask.shape[0])
    x, left, right, across = _taps(low[0], high[0], size[1], len(padded))
    y, above, below, down = _taps(low[1], high[1], size[0], len(padded))
    if not len(left) or not len(above):
        return
    columns = padded.T[:, above] * (1 - down) + padded.T[:, below] * down  # (m + 2, h)
    across = across[:, None]
    if len(left) * len(above) <= _SMALL:
        yield x, y, columns[left] * (1 - across) + columns[right] * across
        return
    starts = np.concatenate([[0], np.flatnonzero(np.diff(left)) + 1, [len(left)]])
    for start, stop in pairwise(starts):  # between two columns of the mask
        share = across[start:stop]
        yield x + int(start), y, columns[left[start]] * (1 - share) + columns[right[start]] * share


def _corners(box: np.ndarray, side: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """First and last pixel (x, y) of a box that was enlarged with its mask of `side`, in float32 as torchvision has."""
    half = (box[2:] - box[:2]) * np.float32(0.5) * np.float32((side + 2) / side)
    centre = (box[2:] + box[:2]) * np.float32(0.5)
    low, high = (np.clip(corner, -_FARTHEST, _FARTHEST).astype(np.int64) for corner in (centre - half, centre + half))
    return (int(low[0]), int(low[1])), (int(high[0]), int(high[1]))


def _taps(low: int, high: int, limit: int, side: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Along one axis: the first pixel in the image; for each, two places in the mask and the share of the second."""
    extent = max(high - low + 1, 1)
    first, last = max(low, 0), min(high + 1, limit, low + extent)
    pixels = np.arange(first, max(last, first)) - low
    scale = np.float32(side) / np.float32(extent)
    source = np.maximum((pixels.astype(np.float32) + np.float32(0.5)) * scale - np.float32(0.5), np.float32(0))
    before = np.minimum(source.astype(np.int64), side - 1)
    return first, before, np.minimum(before + 1, side - 1), source - before.astype(np.float32)
