"""Detectors by name: mask_rcnn_fpn_BACKBONE and faster_rcnn_fpn_BACKBONE, for every ResNet for ImageNet."""

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any

from ...utils.errors import UserError
from ..base import MODELS, Model
from ..plan import Plan
from .backbone import STAGES
from .detector import Detector

#: beginning of a name -> whether such a detector has a mask head
PREFIXES = {"mask_rcnn_fpn_": True, "faster_rcnn_fpn_": False}
_SUFFIX = "_coco"  # as in GluonCV's names; it means the usual number of classes
CLASSES = 80  # COCO's
INPUT_SIZE = 800  # shorter side of the images
_PHOTOGRAPHS = 224  # input size of the networks for ImageNet


def split(name: str) -> tuple[str, str] | None:
    """(prefix, name of the backbone) of a detector's name; None if it is no detector's."""
    prefix = next((prefix for prefix in PREFIXES if str(name).startswith(prefix)), None)
    return (prefix, name.removeprefix(prefix).removesuffix(_SUFFIX)) if prefix else None


def list_detectors() -> Iterator[str]:
    """Names of all detectors."""
    for prefix in PREFIXES:
        for name in MODELS.names():
            if _fits(MODELS.get(name)):
                yield prefix + name


def detector_record(name: str) -> Model | None:
    """The record of a detector, made from its backbone's; None if the name is no detector's.

    Raises:
        UserError: the backbone is unknown or no ResNet for ImageNet.
    """
    found = split(name)
    if found is None:
        return None
    prefix, backbone = found
    record = MODELS.get(backbone)
    if not _fits(record):
        raise UserError(f"{name}: {backbone} is no ResNet for ImageNet; a detector takes one, such as resnet50_v1b")
    build = DetectorBuild(record, PREFIXES[prefix])
    below = record.backbone and prefix + record.backbone
    return dataclasses.replace(record, build=build, input_size=INPUT_SIZE, classes=CLASSES, backbone=below)


def canonical(name: str) -> str:
    """A detector's name without _coco and with its backbone's own name; other names are resolved as usual."""
    found = split(name)
    return found[0] + MODELS.resolve(found[1]) if found else MODELS.resolve(name)


def _fits(record: Model) -> bool:
    return record.stages == STAGES and record.input_size == _PHOTOGRAPHS


class DetectorBuild:
    """Builds a detector: `build(plan, classes, **options)`, the options those of `Detector` and of the backbone.

    Args:
        backbone: its record.
        masks: with a mask head.
    """

    def __init__(self, backbone: Model, masks: bool) -> None:
        self._backbone, self._masks = backbone, masks
        own = dict(inspect.signature(Detector).parameters)
        self._own = {name for name, one in own.items() if one.kind is inspect.Parameter.KEYWORD_ONLY}
        if not masks:
            self._own -= {"mask_widths", "mask_channels"}
        left_out = {"drop_rate"}  # of the classifier, which a detector has not
        others = inspect.signature(backbone.build).parameters.values()
        kept = [one for one in others if one.name not in left_out]
        self.__signature__ = inspect.Signature([*kept, *(own[name] for name in own if name in self._own)])

    def __call__(self, plan: Plan, classes: int, **options: Any) -> Detector:
        """An uninitialized detector."""
        own = {name: options.pop(name) for name in list(options) if name in self._own}
        options.setdefault("input_size", INPUT_SIZE)
        return Detector(self._backbone.build(plan, 1, **options), classes, self._masks, **own)
