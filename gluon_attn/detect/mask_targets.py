"""What the mask head is to give: the part of an object's mask that lies in a roi, as RoIAlign sees it."""

import numpy as np

Mask = np.ndarray


def mask_target(mask: Mask, box: np.ndarray, size: int = 28) -> np.ndarray:
    """The mask within a box, as fractions.

    It is RoIAlign of the mask with one sampling point per pixel, not aligned, as torchvision has it. The average over a
    bin's points is a product of one over rows and one over columns.

    Args:
        mask: (h,w) of 0 and 1.
        box: x1, y1, x2, y2 in its pixels.
        size: of the result.

    Returns:
        (size,size) float32.
    """
    rows, first, end = _average(box[1], box[3], mask.shape[0], size)
    columns, left, right = _average(box[0], box[2], mask.shape[1], size)
    return rows @ mask[first:end, left:right].astype("float32") @ columns.T


def _average(start: float, end: float, length: int, size: int) -> tuple[np.ndarray, int, int]:
    """(matrix (size,pixels) that averages along an axis, first pixel, end of the pixels)."""
    first_edge = np.float32(start)
    extent = np.maximum(np.float32(end) - first_edge, np.float32(1))
    step = extent / np.float32(size)
    points = int(np.ceil(step))
    at = first_edge + np.arange(size, dtype="float32")[:, None] * step
    at = at + (np.arange(points, dtype="float32") + np.float32(0.5)) * step / np.float32(points)  # (size,points)
    inside = (at >= -1) & (at <= length)
    low = np.clip(np.floor(np.maximum(at, 0)), 0, length - 1).astype("int64")
    part = np.where(low < length - 1, np.maximum(at, 0) - low, 0)
    first, last = int(low.min()), min(int(low.max()) + 1, length - 1)
    matrix = np.zeros((size, last + 1 - first), "float32")
    bins = np.broadcast_to(np.arange(size)[:, None], at.shape)
    np.add.at(matrix, (bins, low - first), inside * (1 - part) / points)
    np.add.at(matrix, (bins, np.minimum(low + 1, length - 1) - first), inside * part / points)
    return matrix, first, last + 1
