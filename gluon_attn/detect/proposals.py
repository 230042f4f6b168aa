"""Region proposals: from the outputs of the first stage to boxes that may be objects."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..nn import boxes as bx

_SMALLEST = 1e-3  # pixels


@dataclass(frozen=True)
class ProposalOptions:
    """How proposals are chosen; the defaults are torchvision's at inference.

    Attributes:
        before: best anchors of each level that are decoded.
        after: proposals of an image.
        overlap: largest IoU of two proposals of one level.
    """

    before: int = 1000
    after: int = 1000
    overlap: float = 0.7


def propose(
    logits: np.ndarray,
    deltas: np.ndarray,
    anchors: np.ndarray,
    levels: np.ndarray,
    size: tuple[int, int],
    options: ProposalOptions,
) -> tuple[np.ndarray, np.ndarray]:
    """The proposals of one image, the most likely first.

    Args:
        logits: of all anchors, (n,).
        deltas: of all anchors, (n,4).
        anchors: (n,4), in pixels of the canvas.
        levels: level of each anchor, ascending, (n,).
        size: (height, width) of the image on its canvas, without padding.
        options: see `ProposalOptions`.

    Returns:
        (boxes (m,4), logits (m,)).
    """
    chosen = np.concatenate([
        first + _best(logits[first:end], options.before) for first, end in _ranges(levels)
    ])  # fmt: skip
    boxes = bx.clip(bx.decode(deltas[chosen], anchors[chosen]), size)
    kept = bx.large_enough(boxes, _SMALLEST)
    boxes, chosen = boxes[kept], chosen[kept]
    kept = np.concatenate([
        first + bx.nms(boxes[first:end], logits[chosen[first:end]], options.overlap, options.after)
        for first, end in _ranges(levels[chosen])
    ] or [np.zeros(0, "int64")])  # fmt: skip
    kept = kept[np.argsort(-logits[chosen[kept]], kind="stable")][: options.after]
    return boxes[kept], logits[chosen[kept]]


def _ranges(levels: np.ndarray) -> list[tuple[int, int]]:
    """(first, end) of each level in an ascending array."""
    starts = [0, *(np.flatnonzero(np.diff(levels)) + 1).tolist(), len(levels)]
    return [(first, end) for first, end in pairwise(starts) if end > first]


def _best(values: np.ndarray, most: int) -> np.ndarray:
    """Indices of the largest values, the largest first; of equal ones the first."""
    if len(values) > most:
        border = np.partition(values, len(values) - most)[len(values) - most]
        above = np.flatnonzero(values > border)
        indices = np.concatenate([above, np.flatnonzero(values == border)[: most - len(above)]])
        return indices[np.argsort(-values[indices], kind="stable")]
    return np.argsort(-values, kind="stable")
