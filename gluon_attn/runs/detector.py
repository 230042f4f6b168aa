"""A trained detector, ready for images: what prediction and evaluation of detectors share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

from ..config.card import Card
from ..data.canvas import Canvases, Placement, Sample
from ..data.objects import no_objects
from ..deploy.load_run import load_card, load_run
from ..detect.inference import InferenceOptions, detect
from ..detect.proposals import ProposalOptions
from ..detect.results import Detections
from ..detect.task import in_image
from ..models.detection import Detector
from ..nn.params import load_params
from ..utils.errors import UserError

_NET = "net.params"  # in the folder of a checkpoint


@dataclass(frozen=True)
class TrainedDetector:
    """A detector and how it takes images.

    Attributes:
        net: with its weights.
        card: its card.
        placement: how images get onto its canvases.
        inference: what counts as a detection.
    """

    net: Detector
    card: Card
    placement: Placement
    inference: InferenceOptions

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """What is found in some images, (H,W,3) uint8 RGB of any sizes, each in its own pixels."""
        return [
            self._one(self.placement.place(pixels, no_objects((pixels.shape[0], pixels.shape[1])))) for pixels in images
        ]

    def _one(self, sample: Sample) -> Detections:
        (found,) = detect(self.net, mx.nd.array(sample.image[None]), [sample.size], self.inference)
        return in_image(found, sample)

    def at_epochs(self, folder: Path) -> "Iterator[tuple[int, TrainedDetector]]":
        """(epoch, the detector with its weights) of each checkpoint in a folder, oldest first."""
        for path in sorted(folder.glob("epoch-*")):
            if (path / _NET).is_file():
                load_params(self.net, path / _NET)
                yield int(path.name.rpartition("-")[2]), self


def is_detector(target: str | Path) -> bool:
    """Whether a run folder holds a detector."""
    try:
        return load_card(target).detection is not None
    except UserError:
        return False


def open_detector(target: str | Path, score: float | None = None) -> TrainedDetector:
    """The detector of a run folder, with the weights of its best epoch.

    Args:
        target: the run folder.
        score: least score of a detection (default: the run's).

    Raises:
        UserError: the folder holds no detector, or no finished epoch.
    """
    net, card = load_run(target)
    about = card.detection
    if about is None or not isinstance(net, Detector):
        raise UserError(f"{target} holds no detector")
    placement, inference = placement_of(card), inference_of(about["inference"])
    return TrainedDetector(net, card, placement, inference if score is None else replace(inference, score=score))


def placement_of(card: Card) -> Placement:
    """How images get onto the canvases of a detector's card."""
    about: Any = card.detection
    landscape, portrait = (tuple(one) for one in about["canvases"])
    return Placement(
        Canvases(landscape, portrait),
        (about["shorter"],),
        about["longer"],
        tuple(card.mean),
        tuple(card.std),
        flip=False,
    )


def inference_of(plain: dict[str, Any]) -> InferenceOptions:
    """The `InferenceOptions` of plain data."""
    return InferenceOptions(**{**plain, "proposals": ProposalOptions(**plain["proposals"])})
