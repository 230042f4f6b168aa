"""One step of learning: from images and their objects to the losses of both stages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import mxnet as mx
import numpy as np

from ..models.detection.detector import Detector, Graphs
from . import losses
from .inference import filled_up, rois_of
from .mask_targets import mask_target
from .proposals import ProposalOptions, propose
from .targets import PROPOSALS, ROIS, AnchorTargets, RoiTargets, StageOptions, roi_targets

#: number of samples of each image -> weight of each of its samples
Normalize = Callable[[Sequence[int]], Sequence[float]]


def per_image(counts: Sequence[int]) -> list[float]:
    """The loss of each image is a mean over its samples: then it does not depend on the images beside it."""
    return [1 / max(count, 1) for count in counts]


def per_batch(counts: Sequence[int]) -> list[float]:
    """The loss of a batch is a mean over all of its samples, as torchvision has it."""
    return [1 / max(sum(counts), 1)] * len(counts)


@dataclass(frozen=True)
class LearningOptions:
    """How a detector learns; the defaults are those of Mask R-CNN on a pyramid.

    Attributes:
        proposals: how proposals are chosen in training.
        anchors, rois: how each stage samples.
        beta: of the smooth L1 losses; 0: L1, as MMDetection has it.
        normalize: `per_image` or `per_batch`.
    """

    proposals: ProposalOptions = field(default_factory=lambda: ProposalOptions(2000, 2000))
    anchors: StageOptions = PROPOSALS
    rois: StageOptions = ROIS
    beta: float = losses.BETA
    normalize: Normalize = per_image


@dataclass(frozen=True)
class Example:
    """An image on its canvas, with all that is known before the pass.

    Attributes:
        size: (height, width) without padding.
        boxes, labels: of its objects, crowds left out: (m,4), (m,) without the background.
        mask: index of an object -> its mask on the canvas, (h,w) of 0 and 1.
        targets: of the first stage.
        random: draws the rois.
    """

    size: tuple[int, int]
    boxes: np.ndarray
    labels: np.ndarray
    mask: Callable[[int], np.ndarray]
    targets: AnchorTargets
    random: np.random.Generator


def learn(
    net: Detector,
    images: mx.nd.NDArray,
    examples: Sequence[Example],
    options: LearningOptions | None = None,
    graphs: Graphs | None = None,
) -> dict[str, mx.nd.NDArray]:
    """The losses of some images, while gradients are recorded.

    No gradient goes through proposals, targets and the coordinates of rois.

    Args:
        net: says where the anchors are and how rois are pooled.
        images: (B,3,H,W), normalized, on one canvas.
        examples: one for each image.
        options: how the detector learns.
        graphs: what computes (default: those of `net`).

    Returns:
        loss_rpn_cls, loss_rpn_bbox, loss_cls, loss_bbox and, with a mask head, loss_mask: (1,) each, sums over the
        images; acc, the share of rois that are given the right class, (1,).
    """
    options, graphs = options or LearningOptions(), graphs or net.computed_by(lambda part: part)
    *maps, logits, deltas = graphs.body(images)
    first = _first_stage(logits, deltas, examples, options)
    anchors, levels = net.anchors(*images.shape[2:])
    flat = logits.asnumpy().astype("float32"), deltas.asnumpy().astype("float32")
    targets = []
    for one, two, example in zip(*flat, examples, strict=True):
        proposals, _ = propose(one, two, anchors, levels, example.size, options.proposals)
        targets.append(roi_targets(proposals, example.boxes, example.labels, example.random, options.rois))
    second = _second_stage(graphs, net, maps, targets, options)
    masks = _masks(graphs, net, maps, targets, examples, options) if graphs.mask_head else {}
    return {**first, **second, **masks}


def _first_stage(logits: Any, deltas: Any, examples: Sequence[Example], options: LearningOptions) -> dict:
    places, found = logits.shape[1], [example.targets for example in examples]
    weights = options.normalize([len(one.indices) for one in found])
    chosen = np.concatenate([one.indices + i * places for i, one in enumerate(found)])
    objects = np.concatenate([np.arange(len(one.indices)) < one.positives for one in found])
    each = np.repeat(weights, [len(one.indices) for one in found])
    positive = np.concatenate([one.indices[: one.positives] + i * places for i, one in enumerate(found)])
    array = _arrays(logits)
    objectness = losses.objectness_loss(
        mx.nd, mx.nd.take(logits.reshape(-1), array(chosen)), array(objects), array(each)
    )
    return {
        "loss_rpn_cls": objectness,
        "loss_rpn_bbox": _boxes(deltas.reshape(-1, 4), positive, [one.deltas for one in found], weights, options.beta),
    }


def _second_stage(graphs: Graphs, net: Detector, maps: Any, targets: Sequence[RoiTargets], options: Any) -> dict:
    array = _arrays(maps[0])
    rois, levels = rois_of([one.boxes for one in targets], net.roi_scale)
    logits, deltas = graphs.box_head(*maps, array(rois), array(levels))
    counts = [len(one.boxes) for one in targets]
    weights, labels = options.normalize(counts), np.concatenate([one.labels for one in targets])
    starts = np.cumsum([0, *counts[:-1]])
    classes = logits.shape[1]
    positive = np.concatenate([
        (start + np.arange(len(one.objects))) * classes + one.labels[: len(one.objects)]
        for start, one in zip(starts, targets, strict=True)
    ])  # fmt: skip
    return {
        "loss_cls": losses.class_loss(mx.nd, logits, array(labels), array(np.repeat(weights, counts))),
        "loss_bbox": _boxes(deltas.reshape(-1, 4), positive, [one.deltas for one in targets], weights, options.beta),
        "acc": mx.nd.mean(mx.nd.argmax(mx.nd.BlockGrad(logits), axis=1) == array(labels)).reshape(1),
    }


def _boxes(
    deltas: Any, chosen: np.ndarray, targets: Sequence[np.ndarray], weights: Sequence[float], beta: float
) -> mx.nd.NDArray:
    """The box loss of some rows of deltas (n,4); a row of weight 0 stands in where there is none."""
    array, each = _arrays(deltas), np.repeat(weights, [len(one) for one in targets])
    wanted = np.concatenate([np.zeros((0, 4), "float32"), *targets])
    if not len(chosen):
        chosen, wanted, each = np.zeros(1), np.zeros((1, 4)), np.zeros(1)
    return losses.box_loss(mx.nd, mx.nd.take(deltas, array(chosen)), array(wanted), array(each), beta)


def _masks(
    graphs: Graphs, net: Detector, maps: Any, targets: Sequence[RoiTargets], examples: Any, options: Any
) -> dict:
    assert graphs.mask_head is not None
    array, counts = _arrays(maps[0]), [len(one.objects) for one in targets]
    rois, levels = rois_of([one.boxes[: len(one.objects)] for one in targets], net.roi_scale)
    count, size = len(rois), net.mask_head.MASK  # type: ignore[union-attr]
    rois, levels = filled_up(rois, levels)  # with rois of the images: norms have their usual statistics
    padding = len(rois) - count
    labels = np.concatenate([*(one.labels[: len(one.objects)] for one in targets), np.zeros(padding, "int32")])
    wanted = np.zeros((count + padding, size, size), "float32")
    pairs = [(one, example, i) for one, example in zip(targets, examples, strict=True) for i in range(len(one.objects))]
    for row, (one, example, i) in enumerate(pairs):
        wanted[row] = mask_target(example.mask(int(one.objects[i])), one.boxes[i], size)
    each = np.concatenate([np.repeat(options.normalize(counts), counts), np.zeros(padding)])
    logits = graphs.mask_head(*maps, array(rois), array(levels))
    rows = np.arange(count + padding) * logits.shape[1] + labels
    return {"loss_mask": losses.mask_loss(mx.nd, logits, array(rows), array(wanted), array(each))}


def _arrays(like: Any) -> Callable[[np.ndarray], mx.nd.NDArray]:
    """A function that puts an array where `like` is, in its dtype; whole numbers of a float32 array are exact there."""
    return lambda values: mx.nd.array(values, like.context, dtype="float32").astype(like.dtype, copy=False)
