"""Which of the matched boxes a loss is computed from."""

import numpy as np

from .assign import IGNORED


def sample(
    found: np.ndarray, most: int, positive_share: float, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw boxes, at most a share of them positive; background fills the rest.

    Args:
        found: object of each box, see `assign.match`.
        most: number of boxes to draw.
        positive_share: the largest share of those that find an object.
        random: draws them.

    Returns:
        (indices of those that find an object, indices of the background), ascending; together at most `most`.
    """
    positive, background = np.flatnonzero(found >= 0), np.flatnonzero((found < 0) & (found != IGNORED))
    positive = _some(positive, int(most * positive_share), random)
    return positive, _some(background, most - len(positive), random)


def _some(indices, most, random):
    if len(indices) <= most:
        return indices
    return np.sort(random.choice(indices, most, replace=False))
