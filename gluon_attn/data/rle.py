"""Masks as COCO writes them: lengths of runs down the columns, zeros first, as a text of six bits a character.

The same strings as pycocotools gives; its source is the definition of the format, which has no other.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from ..utils.errors import UserError

#: {"size": [height, width], "counts": text, or a list of numbers}
RLE: TypeAlias = dict[str, Any]
_LARGEST = 1 << 31  # pixels; pycocotools counts in 32 bits


def from_mask(mask: np.ndarray) -> RLE:
    """Encode a whole mask.

    Args:
        mask: (H,W), not zero inside.

    Returns:
        The RLE with a text as its counts, as of `pycocotools.mask.encode`.
    """
    height, width = mask.shape
    return from_window(np.ascontiguousarray(mask.T, dtype=bool), (0, 0), (height, width))


def from_window(columns: np.ndarray, corner: tuple[int, int], size: tuple[int, int]) -> RLE:
    """Encode a mask that is empty outside of a window.

    Args:
        columns: (w,h) bool, what is in the window, one column of the image in each row.
        corner: x and y of the window's first pixel.
        size: height and width of the image, which holds the window.

    Returns:
        The RLE of the image.
    """
    width, height = columns.shape
    line = np.zeros(1 + width * (height + 1), bool)
    line[1:].reshape(width, height + 1)[:, :height] = columns
    return from_windows(line, np.array([[*corner, width, height]]), size)[0]


def from_windows(line: np.ndarray, windows: np.ndarray, size: tuple[int, int]) -> list[RLE]:
    """Encode several masks of an image at once, each empty outside of a window.

    Args:
        line: bool vector: a zero, then what is in each window, column by column, with a zero behind each column.
        windows: (n,4) integers: x and y of each window's first pixel, its width and height.
        size: height and width of the image, which holds the windows.

    Returns:
        The RLE of each.
    """
    pixels = int(size[0]) * int(size[1])
    x, y, width, height = windows.T
    last = np.cumsum(width * (height + 1))
    places = np.flatnonzero(line[1:] != line[:-1])
    of = np.searchsorted(last, places, side="right")
    column, row = np.divmod(places - (last - width * (height + 1))[of], height[of] + 1)
    edges = (x[of] + column) * size[0] + y[of] + row
    same = (edges[1:-1:2] == edges[2::2]) & (of[1:-1:2] == of[2::2])  # a run that goes on in the next column
    if same.any():
        joined = np.flatnonzero(same)
        kept = np.ones(len(edges), bool)
        kept[2 * joined + 1] = kept[2 * joined + 2] = False
        edges, of = edges[kept], of[kept]
    counts = np.bincount(of, minlength=len(windows))
    ends = np.cumsum(counts)
    full = np.zeros(len(windows), bool)  # its last run ends with the image
    full[counts > 0] = edges[ends[counts > 0] - 1] == pixels
    edges = np.insert(edges, ends[~full], pixels)
    counts = counts + ~full
    starts = np.cumsum(counts) - counts
    lengths = np.diff(edges, prepend=0)
    lengths[starts] = edges[starts]
    return [{"size": [int(size[0]), int(size[1])], "counts": text} for text in _texts(lengths, counts)]


def to_mask(rle: Mapping[str, Any]) -> np.ndarray:
    """Decode an RLE, whose counts are a text or a list, to (H,W) bool; `UserError` as of `runs`."""
    lengths, (height, width) = runs(rle), rle["size"]
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(width, height).T


def runs(rle: Any) -> np.ndarray:
    """The lengths of the runs of an RLE, zeros first, int64.

    Raises:
        UserError: it is no RLE, or its runs do not fill the image.
    """
    counts, size = (rle.get("counts"), rle.get("size")) if isinstance(rle, Mapping) else (None, None)
    if not isinstance(size, list | tuple) or [type(side) for side in size] != [int, int] or min(size) < 1:
        size = None
    if size is None or not isinstance(counts, str | bytes | list):
        raise UserError('it needs "size": [height, width] and "counts"')
    if size[0] * size[1] >= _LARGEST:
        raise UserError(f"an image of {size[0]} x {size[1]} pixels is too large")
    lengths = _numbers(counts) if isinstance(counts, str | bytes) else _integers(counts)
    filled = int(lengths.sum())
    if len(lengths) and lengths.min() < 0:
        raise UserError("its counts have a run below 0")
    if filled != size[0] * size[1]:
        raise UserError(f"its runs have {filled} pixels, its size is {size[0]} x {size[1]}")
    return lengths


def compressed(rle: Mapping[str, Any]) -> RLE:
    """The RLE with a text as its counts; `UserError` as of `runs`."""
    lengths, size = runs(rle), [int(side) for side in rle["size"]]
    return {
        "size": size,
        "counts": rle["counts"] if isinstance(rle["counts"], str) else _texts(lengths, np.array([len(lengths)]))[0],
    }


def area(rle: Mapping[str, Any]) -> int:
    """Number of pixels inside."""
    return int(runs(rle)[1::2].sum())


def bounds(rle: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """x, y, width and height of the smallest box around the pixels inside; zeros for an empty mask."""
    lengths, height = runs(rle), rle["size"][0]
    ends = np.cumsum(lengths)
    last, first = ends[1::2] - 1, ends[0::2][: len(ends) // 2]
    first, last = first[last >= first], last[last >= first]
    if not len(first):
        return 0, 0, 0, 0
    left, right = first[0] // height, last[-1] // height
    crossing = np.any(first // height < last // height)  # from the bottom of a column to the top of the next
    top, bottom = (0, height - 1) if crossing else (np.min(first % height), np.max(last % height))
    return int(left), int(top), int(right - left + 1), int(bottom - top + 1)


def _texts(lengths: np.ndarray, counts: np.ndarray) -> list[str]:
    """Runs as texts: each less the one before of its kind, five bits a character, lowest first, a sixth for "more".

    Args:
        lengths: of the runs of all masks, one mask after another.
        counts: runs of each mask.
    """
    left, starts = lengths.astype(np.int64), np.cumsum(counts) - counts
    later = np.flatnonzero(np.arange(len(left)) - np.repeat(starts, counts) > 2)
    left[later] -= lengths[later - 2]
    characters, used, open_ = [], [], np.ones(len(left), bool)
    while open_.any():
        used.append(open_)
        digit, left = left & 31, left >> 5
        open_ = open_ & (left != np.where(digit & 16, -1, 0))
        characters.append(digit + 32 * open_ + 48)
    written = np.stack(used, 1)
    text = np.stack(characters, 1)[written].astype(np.uint8).tobytes().decode("ascii")
    ends = np.cumsum(written.sum(1))[np.cumsum(counts) - 1].tolist()
    return [text[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def _numbers(text: str | bytes) -> np.ndarray:
    """Runs out of a text; the opposite of `_text`."""
    data = text if isinstance(text, bytes) else text.encode("utf-8")
    digits = np.frombuffer(data, np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero(digits & 32 == 0)
    if not len(digits) or digits.min() < 0 or digits.max() > 63 or not len(ends) or ends[-1] != len(digits) - 1:
        raise UserError("its counts are no compressed RLE")
    starts = np.concatenate([[0], ends[:-1] + 1])
    place = 5 * (np.arange(len(digits)) - np.repeat(starts, ends - starts + 1))
    if place.max() > 35:
        raise UserError("its counts are no compressed RLE")
    values = np.add.reduceat((digits & 31) << place, starts)
    values -= np.where(digits[ends] & 16, np.int64(1) << (place[ends] + 5), 0)  # the sign
    values[1::2], values[2::2] = np.cumsum(values[1::2]), np.cumsum(values[2::2])
    return values


def _integers(counts: list) -> np.ndarray:
    """Runs out of a list."""
    if any(type(count) is not int or abs(count) >= _LARGEST for count in counts):
        raise UserError("its counts must be whole numbers")
    return np.array(counts, np.int64)
