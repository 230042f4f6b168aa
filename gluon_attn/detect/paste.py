"""Mask probabilities of a detector, 28x28 of a box, pasted into the image.

The mask gets a border of one zero, its box grows about its centre as much, the corners are cut to integers towards
zero, and the mask is enlarged bilinearly to it, with pixel centres at one half. Only pixels of the box are computed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..data import rle

#: a pixel is inside where its probability is above
THRESHOLD = 0.5
_SMALL = 1 << 16  # pixels that fit a cache
_FARTHEST = 1e8  # pixels; boxes beyond are cut, so that corners fit integers


def paste_all(masks: np.ndarray, boxes: np.ndarray, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Paste the probabilities of each object of an image.

    Args:
        masks: (n,m,m) probabilities.
        boxes: (n,4): x1, y1, x2, y2 in pixels of the image.
        size: height and width of the image.

    Yields:
        (H,W) float32; 0 outside the box.
    """
    for one in _windows(masks, boxes, size):
        image = np.zeros(size, np.float32)
        for start, columns in one.parts():
            x = one.x + start
            image[one.y : one.y + columns.shape[1], x : x + len(columns)] = columns.T
        yield image


def encode_all(masks: np.ndarray, boxes: np.ndarray, size: tuple[int, int]) -> list[rle.RLE]:
    """RLE of the pixels above `THRESHOLD` of each object, without an image on the way; arguments as of `paste_all`."""
    found = _windows(masks, boxes, size)
    if not found:
        return []
    frames = np.array([(one.x, one.y, one.width, one.height) for one in found])
    line, at = np.zeros(1 + int((frames[:, 2] * (frames[:, 3] + 1)).sum()), bool), 1
    for one in found:
        width, height = one.width, one.height
        window = line[at : at + width * (height + 1)].reshape(width, height + 1)[:, :height]
        for start, columns in one.parts():
            np.greater(columns, THRESHOLD, out=window[start : start + len(columns)])
        at += width * (height + 1)
    return rle.from_windows(line, frames, size)


@dataclass(frozen=True)
class _Window:
    """The part of an image that a mask is pasted into.

    Attributes:
        padded: the mask with a border of zeros, its columns as rows.
        x, y: of the first pixel.
        across, down: for each column and row of pixels: two places in the mask, and the share of the second.
    """

    padded: np.ndarray
    x: int
    y: int
    across: tuple[np.ndarray, np.ndarray, np.ndarray]
    down: tuple[np.ndarray, np.ndarray, np.ndarray]

    @property
    def width(self) -> int:
        """In pixels; 0 where the mask is outside of the image."""
        return len(self.across[0]) if len(self.down[0]) else 0

    @property
    def height(self) -> int:
        """In pixels; 0 where the mask is outside of the image."""
        return len(self.down[0]) if len(self.across[0]) else 0

    def parts(self) -> Iterator[tuple[int, np.ndarray]]:
        """(first column, values (w,h), a column of the image in each row); a large window in parts that fit a cache."""
        if not self.width:
            return
        above, below, down = self.down
        left, right, across = self.across
        columns = self.padded[:, above] * (1 - down) + self.padded[:, below] * down  # (m + 2, h)
        share = across[:, None]
        if len(left) * len(above) <= _SMALL:
            yield 0, columns[left] * (1 - share) + columns[right] * share
            return
        starts = np.concatenate([[0], np.flatnonzero(np.diff(left)) + 1, [len(left)]])
        for start, stop in pairwise(starts):  # between two columns of the mask
            part = share[start:stop]
            yield int(start), columns[left[start]] * (1 - part) + columns[right[start]] * part


def _windows(masks: np.ndarray, boxes: np.ndarray, size: tuple[int, int]) -> list[_Window]:
    """The window of each mask."""
    count, side = len(masks), masks.shape[-1] + 2
    padded = np.zeros((count, side, side), np.float32)
    padded[:, 1:-1, 1:-1] = masks.transpose(0, 2, 1)
    low, high = _corners(np.asarray(boxes, np.float32), side - 2)
    (x, across), (y, down) = (_taps(low[:, axis], high[:, axis], size[1 - axis], side) for axis in (0, 1))
    return [_Window(*one) for one in zip(padded, x, y, across, down, strict=True)]


def _corners(boxes: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last pixel (x, y) of boxes that were enlarged with their masks of `side`, in float32 as torchvision."""
    half = (boxes[:, 2:] - boxes[:, :2]) * np.float32(0.5) * np.float32((side + 2) / side)
    centre = (boxes[:, 2:] + boxes[:, :2]) * np.float32(0.5)
    low, high = (np.clip(one, -_FARTHEST, _FARTHEST).astype(np.int64) for one in (centre - half, centre + half))
    return low, high


def _taps(low: np.ndarray, high: np.ndarray, limit: int, side: int) -> tuple[list[int], list[tuple]]:
    """Along one axis, for each box: its first pixel in the image; the places in the mask, see `_Window`."""
    extent = np.maximum(high - low + 1, 1)
    first = np.maximum(low, 0)
    counts = np.maximum(np.minimum(np.minimum(high + 1, limit), low + extent) - first, 0)
    ends = np.cumsum(counts)
    pixels = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts - first + low, counts)
    scale = np.repeat(np.float32(side) / extent.astype(np.float32), counts)
    source = np.maximum((pixels.astype(np.float32) + np.float32(0.5)) * scale - np.float32(0.5), np.float32(0))
    before = np.minimum(source.astype(np.int64), side - 1)
    found = before, np.minimum(before + 1, side - 1), source - before.astype(np.float32)
    edges = list(pairwise([0, *ends.tolist()]))
    return first.tolist(), [tuple(one[start:end] for one in found) for start, end in edges]
