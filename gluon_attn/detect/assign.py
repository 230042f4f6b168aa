"""Which object each box is to find: matching by overlap.

Ren et al. 2015, https://arxiv.org/abs/1506.01497, section 3.1.2; rules in detail as torchvision's `Matcher`.
"""

import numpy as np

#: a box that matches no object, and one that counts neither as an object nor as background
BACKGROUND, IGNORED = -1, -2


def match(overlaps: np.ndarray, low: float, high: float, best_of_each: bool = False) -> np.ndarray:
    """The object of each box.

    Args:
        overlaps: IoU of each object (rows) with each box (columns), float32, (objects,boxes).
        low: below it a box is background.
        high: from it on a box finds the object that it overlaps most.
        best_of_each: the boxes that overlap an object most, ties included, find an object even below `high`: each the
            one that it overlaps most itself. An object that overlaps no box ties with 0 everywhere.

    Returns:
        (boxes,) int64: index of the object, `BACKGROUND` or `IGNORED`. Without objects all are background.
    """
    if not len(overlaps):
        return np.full(overlaps.shape[1], BACKGROUND, "int64")
    best, of = overlaps.max(axis=0), overlaps.argmax(axis=0)
    found = np.where(best < np.float32(low), BACKGROUND, np.where(best < np.float32(high), IGNORED, of))
    if best_of_each:
        tied = (overlaps == overlaps.max(axis=1, keepdims=True)).any(axis=0)
        found = np.where(tied, of, found)
    return found.astype("int64")
