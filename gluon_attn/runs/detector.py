"""A trained detector, ready for images: what prediction and evaluation of detectors share."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

from ..config.card import Card
from ..config.detect_data import PHOTOGRAPHS
from ..data.canvas import MULTIPLE, Canvases, Placement, Sample
from ..deploy.detector_bundle import is_bundle, open_bundle
from ..deploy.load_run import load_card, load_run
from ..detect.inference import Found, InferenceOptions, detect
from ..detect.proposals import ProposalOptions
from ..detect.results import Detections
from ..detect.task import in_image
from ..models.detection import Detector, Geometry, Graphs
from ..models.factory import get_model, model_info
from ..nn.kernels import compiled_operators
from ..nn.params import load_params
from ..utils.errors import UserError
from ..utils.files import epoch_number, epochs

_NET = "net.params"  # in the folder of a checkpoint


@dataclass(frozen=True)
class TrainedDetector:
    """A detector and how it takes images.

    Attributes:
        net: with its weights; of an exported one where its anchors are.
        card: its card.
        placement: how images get onto its canvases.
        inference: what counts as a detection.
        graphs: what computes; None: `net`.
        kind: "run", or the format of an exported one.
        precision: the dtype that it computes in.
    """

    net: Detector | Geometry
    card: Card
    placement: Placement
    inference: InferenceOptions
    graphs: Graphs | None = None
    kind: str = "run"
    precision: str = "float32"

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """What is found in some images, (H,W,3) uint8 RGB of any sizes, each in its own pixels."""
        samples = map(self.place, images)
        return [in_image(self.find([sample])[0], sample) for sample in samples]

    def place(self, pixels: np.ndarray) -> Sample:
        """An image on its canvas."""
        return self.placement.place(pixels)

    def find(self, samples: Sequence[Sample]) -> list[Found]:
        """What is found in images that share one canvas, in its pixels."""
        images: Any = np.stack([sample.image for sample in samples])
        given = images if self.graphs and self.kind != "symbol" else mx.nd.array(images)
        with compiled_operators() if self.graphs is None else contextlib.nullcontext():
            return detect(self.net, given, [sample.size for sample in samples], self.inference, self.graphs)

    def at_epochs(self, folder: Path) -> "Iterator[tuple[int, TrainedDetector]]":
        """(epoch, the detector with its weights) of each checkpoint in a folder, oldest first."""
        assert isinstance(self.net, Detector)
        for path in self.kept(folder):
            load_params(self.net, path / _NET)
            yield epoch_number(path), self

    @staticmethod
    def kept(folder: Path) -> list[Path]:
        """The checkpoints in a folder, oldest first."""
        return [path for path in epochs(folder) if (path / _NET).is_file()]


def is_detector(target: str | Path) -> bool:
    """Whether a run folder or a deploy bundle holds a detector."""
    if is_bundle(target):
        return True
    try:
        return load_card(target).detection is not None
    except UserError:
        return False


def open_detector(target: str | Path, score: float | None = None) -> TrainedDetector:
    """The detector of a run folder, with the weights of its best epoch, or of a deploy bundle.

    Args:
        target: the folder.
        score: least score of a detection (default: the run's).

    Raises:
        UserError: the folder holds no detector, no finished epoch, or damaged files.
    """
    if is_bundle(target):
        graphs, card, own = open_bundle(target)
        made = _exported(target, card, graphs, own)
    else:
        net, card = load_run(target)
        if card.detection is None or not isinstance(net, Detector):
            raise UserError(f"{target} holds no detector")
        made = of_network(net, card)
    return made if score is None else replace(made, inference=replace(made.inference, score=score))


def of_network(net: Detector, card: Card) -> TrainedDetector:
    """The `TrainedDetector` of a network; its parts are hybridized."""
    about: Any = card.detection
    for part in (net.body, net.box_head, net.mask_head):
        if part is not None:
            part.hybridize(static_alloc=True)
    return TrainedDetector(net, card, placement_of(card), inference_of(about["inference"]))


def named_detector(name: str, params: str | Path | None = None, input_size: int | None = None) -> TrainedDetector:
    """A detector by its name, with as many classes as COCO has.

    Args:
        name: its name.
        params: its parameter file; None: random weights.
        input_size: side of a square canvas (default: images of 800 to 1333).
    """
    classes = model_info(name).classes
    sized: dict[str, Any] = {"input_size": input_size} if input_size else {}
    net = get_model(name, classes, pretrained=params or False, **sized)
    if not params:
        net.initialize()
    shorter, longer = (input_size, input_size) if input_size else PHOTOGRAPHS
    landscape = [-(-side // MULTIPLE) * MULTIPLE for side in (shorter, longer)]
    about = {
        "canvases": [landscape, landscape[::-1]], "shorter": shorter, "longer": longer,
        "category_ids": list(range(1, classes + 1)), "inference": asdict(InferenceOptions()),
    }  # fmt: skip
    names = tuple(map(str, range(1, classes + 1)))
    return of_network(net, Card(**net.recipe, class_names=names, input_shape=(3, *landscape), detection=about))


def _exported(target: str | Path, card: Card, graphs: Graphs, own: dict[str, Any]) -> TrainedDetector:
    about: Any = card.detection
    try:
        geometry = Geometry(about["anchors"], about["roi_scale"])
        placement, inference = placement_of(card), inference_of(about["inference"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{target}: its card.json does not describe a detector ({error!r})") from None
    return TrainedDetector(geometry, card, placement, inference, graphs, str(own["format"]), str(own["precision"]))


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
