"""From images on a canvas to detections: the three graphs of a detector and what lies between them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import mxnet as mx
import numpy as np

from ..models.detection.detector import BOX_WEIGHTS, Detector, Graphs
from ..models.detection.geometry import Geometry
from ..nn import boxes as bx
from .proposals import ProposalOptions, propose

#: what graphs take and give: MXNet's arrays, or NumPy's if they are those of another engine
Array: TypeAlias = mx.nd.NDArray | np.ndarray


@dataclass(frozen=True)
class InferenceOptions:
    """What counts as a detection; the defaults are torchvision's.

    Attributes:
        proposals: how proposals are chosen.
        score: least score.
        overlap: largest IoU of two detections of one class.
        most: detections of an image.
        smallest: least side of a box in pixels; MMDetection keeps all: 0.
    """

    proposals: ProposalOptions = field(default_factory=ProposalOptions)
    score: float = 0.05
    overlap: float = 0.5
    most: int = 100
    smallest: float = 1e-2


@dataclass(frozen=True)
class Found:
    """The detections of one image on its canvas, the best first.

    Attributes:
        boxes: (n,4).
        scores: (n,), from 0 to 1.
        labels: (n,) int32, without the background.
        masks: (n,28,28) probabilities of the own class; None without a mask head.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    masks: np.ndarray | None = None


def detect(
    net: Detector | Geometry,
    images: Array,
    sizes: Sequence[tuple[int, int]],
    options: InferenceOptions | None = None,
    graphs: Graphs | None = None,
) -> list[Found]:
    """The detections of some images.

    Args:
        net: says where the anchors are and how rois are pooled.
        images: (B,3,H,W), normalized, on one canvas.
        sizes: (height, width) of each image on the canvas, without padding.
        options: what counts as a detection.
        graphs: what computes (default: those of `net`).
    """
    options = options or InferenceOptions()
    graphs = net.computed_by(lambda part: part) if graphs is None and isinstance(net, Detector) else graphs
    assert graphs is not None
    *maps, logits, deltas = graphs.body(images)
    anchors, levels = net.anchors(*images.shape[2:])
    proposals = [
        propose(one, two, anchors, levels, size, options.proposals)[0]
        for one, two, size in zip(_float32(logits), _float32(deltas), sizes, strict=True)
    ]
    classes, boxes = _run(graphs.box_head, net, maps, proposals)
    ends = np.cumsum([len(one) for one in proposals])
    parts = [slice(end - len(one), end) for end, one in zip(ends, proposals, strict=True)]
    found = [
        _choose(classes[part], boxes[part], one, size, options)
        for part, one, size in zip(parts, proposals, sizes, strict=True)
    ]
    return _with_masks(graphs, net, maps, found) if graphs.mask_head else found


def rois_of(boxes: Sequence[np.ndarray], scale: float) -> tuple[np.ndarray, np.ndarray]:
    """What the heads take: (rois (n,5) with the number of the image first, level of each from 0 (n,)), float32.

    Args:
        boxes: of each image, (m,4).
        scale: as of `Detector.roi_scale`.
    """
    numbers = np.repeat(np.arange(len(boxes)), [len(one) for one in boxes]).astype("float32")
    joined = np.concatenate([np.zeros((0, 4), "float32"), *boxes])
    levels = bx.roi_levels(joined, scale).astype("float32") - 2
    return np.concatenate([numbers[:, None], joined], axis=1), levels


def filled_up(rois: np.ndarray, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rois, repeated up to one of few counts, an eighth more at most from 64 on; where there is none, one stands in.

    MXNet keeps memory and compiled kernels for every shape that it meets.

    Args:
        rois, levels: as of `rois_of`.
    """
    if not len(rois):
        rois, levels = np.array([[0, 0, 0, 1, 1]], "float32"), np.zeros(1, "float32")
    step = 1 << max(3, len(rois).bit_length() - 4)
    count = -(-len(rois) // step) * step
    return np.resize(rois, (count, 5)), np.resize(levels, count)


def _run(head: Callable, net: Detector | Geometry, maps: Sequence[Array], boxes: Sequence[np.ndarray]) -> list:
    """The outputs of a head as NumPy arrays."""
    rois, levels = rois_of(boxes, net.roi_scale)
    count = len(rois)
    rois, levels = filled_up(rois, levels)
    out = head(*maps, *(_like(maps[0], values) for values in (rois, levels)))
    outputs = out if isinstance(out, list | tuple) else [out]
    return [_float32(one)[:count] for one in outputs]


def _like(array: Array, values: np.ndarray) -> Array:
    """Values as an array of the same engine, device and dtype."""
    if isinstance(array, np.ndarray):
        return values
    return mx.nd.array(values, array.context, dtype=array.dtype)


def _float32(array: Array) -> np.ndarray:
    values = array if isinstance(array, np.ndarray) else array.asnumpy()
    return values.astype("float32", copy=False)


def _choose(
    logits: np.ndarray, deltas: np.ndarray, proposals: np.ndarray, size: tuple[int, int], options: InferenceOptions
) -> Found:
    scores = _softmax(logits)[:, 1:]
    boxes = bx.clip(bx.decode(deltas[:, 1:], proposals, BOX_WEIGHTS), size)
    which, labels = np.nonzero(scores > np.float32(options.score))
    boxes, scores = boxes[which, labels], scores[which, labels]
    kept = bx.large_enough(boxes, options.smallest)
    kept = kept[bx.grouped_nms(boxes[kept], scores[kept], labels[kept], options.overlap, options.most)]
    return Found(boxes[kept], scores[kept], labels[kept].astype("int32"))


def _softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _with_masks(graphs: Graphs, net: Detector | Geometry, maps: Sequence[Array], found: Sequence[Found]) -> list[Found]:
    assert graphs.mask_head is not None
    (logits,) = _run(graphs.mask_head, net, maps, [one.boxes for one in found])
    done, start = [], 0
    for one in found:
        own = logits[np.arange(start, start + len(one.labels)), one.labels + 1]
        done.append(Found(one.boxes, one.scores, one.labels, 1 / (1 + np.exp(-own))))
        start += len(one.labels)
    return done
