"""What the networks of a comparison cost: parameters, MACs, and how long each takes for an image."""

import contextlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ..analyze.cost import cost
from ..analyze.latency import in_turns, interleaved_latency
from ..data.image_notes import BadImage
from ..deploy.load_run import load_run
from ..models.detection import Detector
from .detection_data import open_sets, run_config
from .detector import TrainedDetector, is_detector, of_network

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
    loaded = [load_run(folders[i]) for i in order]
    nets, shape = [net for net, _ in loaded], loaded[0][1].input_shape
    counted = [cost(net, shape) for net in nets]
    if is_detector(folders[base]):
        detectors = [of_network(net, card) for net, card in loaded if isinstance(net, Detector)]
        times, ratios = _latency_of_detectors(detectors, folders[base])
    else:
        times, ratios = interleaved_latency(nets, shape)
    places = [order.index(i) for i in range(len(folders))]
    return [(counted[place].params, counted[place].macs, float(times[place]), float(ratios[place])) for place in places]


def _latency_of_detectors(detectors: Sequence[TrainedDetector], run: Path) -> tuple[list[float], list[float]]:
    """(milliseconds of each, those over the first one's), on test images of a run."""
    _, test = open_sets(run_config(run))
    images = []
    for number in range(min(_IMAGES, len(test))):
        with contextlib.suppress(BadImage):  # told when the runs were evaluated
            images.append(test.pixels(number))
    passes = [partial(_detect, one, images) for one in detectors]
    return in_turns(passes)


def _detect(detector: TrainedDetector, images: Sequence, turn: int) -> None:
    detector.detect([images[turn % len(images)]])
