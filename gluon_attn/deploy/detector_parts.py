"""What the graphs of an exported detector take and give."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..config.card import Card
from ..models.detection import Detector
from ..models.detection.geometry import LEVELS, pooled_maps
from .graph import BATCH, INPUT, Port

_ROIS = tuple(f"rois_{level}" for level in LEVELS)


@dataclass(frozen=True)
class Part:
    """One graph of a detector.

    Attributes:
        name: "body", "box_head" or "mask_head".
        ports: Its inputs.
        outputs: Name of each output.
    """

    name: str
    ports: tuple[Port, ...]
    outputs: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data: a free length is the text of its name."""
        inputs = [
            {
                "name": port.name,
                "shape": [port.free.get(axis, length) for axis, length in enumerate(port.shape)],
                "dtype": np.dtype(port.dtype).name,
            }
            for port in self.ports
        ]
        return {"inputs": inputs, "outputs": list(self.outputs)}


def parts(net: Detector, card: Card) -> list[Part]:
    """The graphs of a detector; the size of the images is free where its canvases differ."""
    return parts_of(card, net.mask_head is not None, net.body.rpn.conv.weight.shape[1])


def parts_of(card: Card, masks: bool, channels: int) -> list[Part]:
    """The graphs of a detector with this card.

    Args:
        card: Its `Card`.
        masks: Whether it has a mask head.
        channels: Of its pyramid.
    """
    assert card.detection is not None
    landscape, portrait = (tuple(one) for one in card.detection["canvases"])
    free = landscape != portrait
    size = {2: "H", 3: "W"} if free else {}
    maps = tuple(
        Port(name, shape, {0: BATCH, **({2: f"H{level}", 3: f"W{level}"} if free else {})})
        for level, (name, shape) in zip(LEVELS, pooled_maps(channels, *landscape).items(), strict=True)
    )  # fmt: skip
    rois = tuple(Port(name, (1, 5), {0: f"R{level}"}) for name, level in zip(_ROIS, LEVELS, strict=True))
    head = (*maps, *rois, Port("order", (1,), {0: "R"}, np.int32))
    found = [
        Part(
            "body",
            (Port(INPUT, (1, 3, *landscape), {0: BATCH, **size}),),
            (*(port.name for port in maps), "logits", "deltas"),
        ),
        Part("box_head", head, ("logits", "deltas")),
    ]
    return [*found, Part("mask_head", head, ("logits",))] if masks else found
