"""The graphs of a detector with the shapes that its cost is counted for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mxnet.gluon import HybridBlock

from ..models.detection import Detector
from ..models.detection.geometry import LEVELS, pooled_maps

#: rois of an image in the box head and in the mask head: torchvision's and MMDetection's proposals and detections
ROIS, MASKS = 1000, 100
NOTE = (
    f"{ROIS:,} rois in the box head and {MASKS} in the mask head, each pooled from one level; what is computed between "
    "the graphs (decoding of boxes, NMS) is not counted"
)


@dataclass(frozen=True)
class DetectorPart:
    """A graph of a detector.

    Attributes:
        name: "body", "box_head" or "mask_head".
        title: What tables call it.
        block: It.
        shapes: Name -> shape of each of its inputs.
        titles: What tables call its parts, where that is not their name.
    """

    name: str
    title: str
    block: HybridBlock
    shapes: dict[str, tuple[int, ...]]
    titles: dict[str, str] = field(default_factory=dict)


def detector_parts(net: Detector, input_shape: Sequence[int] | Mapping[str, Sequence[int]]) -> list[DetectorPart]:
    """The graphs of a detector.

    Args:
        net: It.
        input_shape: Shape of one image: 3,H,W, or that of the one input.
    """
    if isinstance(input_shape, Mapping):
        (input_shape,) = input_shape.values()
    height, width = input_shape[-2:]
    channels = net.body.rpn.conv.weight.shape[1]
    titles = dict.fromkeys(("between stages", "head"), "pyramid, proposals")
    found = [DetectorPart("body", "body", net.body, {"data": (1, 3, height, width)}, titles)]
    maps = pooled_maps(channels, height, width)
    for name, head, count in (("box_head", net.box_head, ROIS), ("mask_head", net.mask_head, MASKS)):
        if head is not None:
            rois = {f"rois_{level}": (1, 5) for level in LEVELS}
            rois["rois_2"] = (count - len(LEVELS) + 1, 5)
            shapes = {**maps, **rois, "order": (count,)}
            found.append(DetectorPart(name, f"{name.replace('_', ' ')}, {count:,} rois", head, shapes))
    return found
