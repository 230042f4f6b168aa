"""Operations of a detector's graphs, for the rois that its heads were given."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from gluon_attn.analyze.cost import cost
from gluon_attn.analyze.detector_parts import MASKS, ROIS, detector_parts
from gluon_attn.models.detection.detector import Detector, Graphs

#: head -> rois that `detector_parts` counts it for
_COUNTED = {"box_head": ROIS, "mask_head": MASKS}


def counting(graphs: Graphs) -> tuple[Graphs, dict[str, int]]:
    """Graphs that note how many different rois their heads are given: what fills up to a shape is repeated.

    Args:
        graphs: what computes.

    Returns:
        The graphs; name of each head -> its rois of all calls.
    """
    found = dict.fromkeys(_COUNTED, 0)

    def noted(name: str, head: Callable) -> Callable:
        def call(*inputs: Any) -> Any:
            rois = inputs[-2]
            found[name] += len(np.unique(rois if isinstance(rois, np.ndarray) else rois.asnumpy(), axis=0))
            return head(*inputs)

        return call

    masks = graphs.mask_head and noted("mask_head", graphs.mask_head)
    return Graphs(graphs.body, noted("box_head", graphs.box_head), masks), found


def operations(
    net: Detector, size: tuple[int, int], images: int, rois: dict[str, int], frozen: Iterable[str] | None = None
) -> float:
    """Operations of a pass, two for each MAC that `cost` counts.

    Args:
        net: the detector.
        size: height and width of the canvas.
        images: on canvases.
        rois: as of `counting`.
        frozen: parts of the backbone that learn nothing, so that no gradient goes through them; None: inference.
    """
    passes, total = 1 if frozen is None else 3, 0.0
    for part in detector_parts(net, (3, *size)):
        if part.name in _COUNTED:
            total += passes * rois[part.name] * cost(part.block, part.shapes).macs / _COUNTED[part.name]
            continue
        for row in cost(part.block, part.shapes).parts:
            total += (1 if row.name in (frozen or ()) else passes) * images * row.macs
    return 2 * total
