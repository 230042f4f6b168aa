"""What the networks of a comparison cost: parameters, MACs, and how long each takes for an image."""

import contextlib
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mxnet.gluon import HybridBlock

from ..analyze.cost import cost
from ..analyze.latency import in_turns, interleaved_latency
from ..config.detect import DetectRunConfig
from ..data.image_notes import BadImage
from ..deploy.load_run import load_run
from ..models.detection import Detector
from .detection import open_sets
from .detector import TrainedDetector, is_detector, open_detector
from .folder import RunFolder

#: params, MACs of one image, milliseconds per image, and these over the baseline's
Costs = tuple[int, int, float, float]
_IMAGES = 32  # of the test set, which passes take one after another


def measure(folders: Sequence[Path], base: int) -> list[Costs]:
    """Measure the networks of some runs of one task, whose passes take turns.

    A pass of a detector is a test image, from its pixels to boxes and masks.

    Args:
        folders: of the runs.
        base: number of the baseline's.

    Returns:
        The costs of each.

    Raises:
        UserError: a folder holds no trained network, or the data of a detector are not there any more.
    """
    order = [base, *(i for i in range(len(folders)) if i != base)]
    if is_detector(folders[base]):
        costs, (times, ratios) = _of_detectors([folders[i] for i in order])
    else:
        loaded = [load_run(folders[i]) for i in order]
        shape = loaded[0][1].input_shape
        counted = [cost(net, shape) for net, _ in loaded]
        costs = [(one.params, one.macs) for one in counted]
        times, ratios = interleaved_latency([net for net, _ in loaded], shape)
    places = [order.index(i) for i in range(len(folders))]
    return [(*costs[place], float(times[place]), float(ratios[place])) for place in places]


def _of_detectors(folders: Sequence[Path]) -> tuple[list[tuple[int, int]], tuple[list[float], list[float]]]:
    """((parameters, MACs of an image) of each, (milliseconds of each, those over the first one's))."""
    detectors = [open_detector(folder) for folder in folders]
    _, test = open_sets(RunFolder(folders[0]).read_config(DetectRunConfig))
    images = []
    for number in range(min(_IMAGES, len(test))):
        with contextlib.suppress(BadImage):  # told when the runs were evaluated
            images.append(test.pixels(number))
    passes = [partial(_detect, one, images) for one in detectors]
    return [(_parameters(one.net), _macs(one)) for one in detectors], in_turns(passes)


def _detect(detector: TrainedDetector, images: Sequence, turn: int) -> None:
    detector.detect([images[turn % len(images)]])


def _parameters(net: Detector) -> int:
    return sum(math.prod(one.shape) for one in net.collect_params().values() if one._differentiable)


def _macs(detector: TrainedDetector) -> int:
    """MACs of a canvas with as many proposals and detections as there may be."""
    net, options = detector.net, detector.inference
    macs = cost(net.body, detector.card.input_shape).macs + options.proposals.after * _weights(net.box_head)
    if net.mask_head:
        head = net.mask_head
        places = head.SIZE**2 * (_weights(head.convs) + _weights(head.conv5_mask))
        macs += options.most * (places + head.MASK**2 * _weights(head.mask_fcn_logits))
    return macs


def _weights(block: HybridBlock) -> int:
    """Weights without biases: MACs of each place that a layer is applied to."""
    return sum(math.prod(one.shape) for name, one in block.collect_params().items() if name.endswith("weight"))
