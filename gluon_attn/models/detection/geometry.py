"""Where the anchors of a detector are, and from which level its rois are pooled."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ...nn.boxes import grid_anchors

#: levels that rois are pooled from
LEVELS = (2, 3, 4, 5)


def pooled_maps(channels: int, height: int, width: int) -> dict[str, tuple[int, ...]]:
    """Name -> shape (1,C,h,w) of the maps of a canvas that rois are pooled from, P2 to P5."""
    return {f"p{level}": (1, channels, -(-height >> level), -(-width >> level)) for level in LEVELS}


class Geometry:
    """What of a detector is no layer.

    Args:
        cells: anchors (k,4) of one place of P2, P3 ..., see `nn.boxes.cell_anchors`.
        roi_scale: side in pixels of a box that is pooled from P4.

    Attributes:
        cells, roi_scale: as given.
        anchors: (height, width) of a canvas -> its anchors, in the order of the outputs of a detector's body:
            (boxes (n,4), level of each (n,)).
    """

    def __init__(self, cells: Sequence[np.ndarray], roi_scale: int) -> None:
        self.cells, self.roi_scale = [np.asarray(cell, "float32") for cell in cells], roi_scale
        self.anchors = lru_cache(maxsize=8)(self._anchors)

    def _anchors(self, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        shapes, size = [], (-(-height // 4), -(-width // 4))
        for _ in self.cells:
            shapes.append(size)
            size = (-(-size[0] // 2), -(-size[1] // 2))
        boxes = [
            grid_anchors(cell, shape, (height // shape[0], width // shape[1]))
            for cell, shape in zip(self.cells, shapes, strict=True)
        ]
        levels = np.repeat(np.arange(len(boxes)), [len(one) for one in boxes])
        return np.concatenate(boxes), levels

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"anchors": [cell.tolist() for cell in self.cells], "roi_scale": self.roi_scale}
