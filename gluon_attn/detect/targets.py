"""What both stages are to give for an image: targets of sampled anchors, and of sampled rois."""

from dataclasses import dataclass

import numpy as np

from ..models.detection.detector import BOX_WEIGHTS
from ..nn import boxes as bx
from .assign import match
from .sample import sample


@dataclass(frozen=True)
class StageOptions:
    """How a stage samples what it learns from.

    Attributes:
        high: IoU from which a box finds an object.
        low: IoU below which it is background.
        best_of_each: as of `assign.match`.
        count: boxes of an image.
        positive: the largest share of those that find an object.
    """

    high: float
    low: float
    best_of_each: bool
    count: int
    positive: float


#: Faster R-CNN's, as torchvision and MMDetection have them
PROPOSALS = StageOptions(0.7, 0.3, True, 256, 0.5)
ROIS = StageOptions(0.5, 0.5, False, 512, 0.25)


@dataclass(frozen=True)
class AnchorTargets:
    """Targets of the first stage for one image.

    Attributes:
        indices: of the sampled anchors, those that find an object first, (n,).
        positives: how many of these find an object.
        deltas: regression targets of the positives, (positives,4).
    """

    indices: np.ndarray
    positives: int
    deltas: np.ndarray


@dataclass(frozen=True)
class RoiTargets:
    """Targets of the second stage for one image.

    Attributes:
        boxes: sampled rois, those that find an object first, (n,4).
        labels: 0 for the background, else the class + 1, (n,).
        objects: index of the object of each positive, (positives,).
        deltas: regression targets of the positives, (positives,4).
    """

    boxes: np.ndarray
    labels: np.ndarray
    objects: np.ndarray
    deltas: np.ndarray


def anchor_targets(
    anchors: np.ndarray, boxes: np.ndarray, random: np.random.Generator, options: StageOptions = PROPOSALS
) -> AnchorTargets:
    """Sample the anchors of an image.

    Args:
        anchors: (n,4).
        boxes: of its objects, crowds left out, (m,4).
        random: draws the sample.
        options: how.
    """
    found = match(bx.iou(boxes, anchors), options.low, options.high, options.best_of_each)
    positive, background = sample(found, options.count, options.positive, random)
    deltas = bx.encode(boxes[found[positive]], anchors[positive]) if len(positive) else np.zeros((0, 4), "float32")
    return AnchorTargets(np.concatenate([positive, background]), len(positive), deltas)


def roi_targets(
    proposals: np.ndarray,
    boxes: np.ndarray,
    labels: np.ndarray,
    random: np.random.Generator,
    options: StageOptions = ROIS,
) -> RoiTargets:
    """Sample the rois of an image, from its proposals and the objects themselves.

    Args:
        proposals: (n,4).
        boxes, labels: of its objects, crowds left out: (m,4), and (m,) without the background.
        random: draws the sample.
        options: how.
    """
    rois = np.concatenate([proposals, boxes])
    found = match(bx.iou(boxes, rois), options.low, options.high, options.best_of_each)
    positive, background = sample(found, options.count, options.positive, random)
    objects = found[positive]
    deltas = np.zeros((0, 4), "float32")
    if len(positive):
        deltas = bx.encode(boxes[objects], rois[positive], BOX_WEIGHTS)
    classes = np.zeros(len(positive) + len(background), "int32")
    classes[: len(positive)] = labels[objects] + 1
    return RoiTargets(rois[np.concatenate([positive, background])], classes, objects, deltas)
