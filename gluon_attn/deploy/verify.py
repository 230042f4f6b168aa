"""Verify exported files against the network: the same logits, also at other image sizes, and the same accuracy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

from ..config.card import Card
from ..data.base import ImageSet
from ..utils.errors import UserError, engine_reason
from ..utils.log import get_logger
from .check import Agreement, compare_predictor
from .evaluate import evaluate_predictor
from .predictor import Predictor, of_network, random_images
from .targets import ExportTarget

_IMAGES = 16  # whose logits are compared, unless others are given


@dataclass(frozen=True)
class ExportChecks:
    """What exports are calibrated and verified with. All images are uint8, N,H,W,C.

    Attributes:
        images: Images to compare logits on (default: 16 of `calibration`, or random ones).
        compare: Whether the files are compared with the network at all; layout "files" only.
        test: Labelled images to measure the accuracy on; None: it is not measured.
        dataset: Name of their data set.
        calibration: Images to calibrate int8 with.
        calibration_method: Quantization ranges of MXNet's int8, one of `precision.CALIBRATIONS`.
        max_drop: How much accuracy a target may lose, from 0 to 1.
    """

    images: np.ndarray | None = None
    compare: bool = True
    test: ImageSet | None = None
    dataset: str = ""
    calibration: np.ndarray | None = None
    calibration_method: str = "naive"
    max_drop: float = 0.01


class Reference:
    """The network that exported files are compared with.

    Args:
        net: The initialized network.
        card: Its `Card`.
        checks: Images to compare and evaluate it on.

    Attributes:
        net: The initialized network.
        card: Its `Card`, as it is exported.
        checks: What it is compared on.
    """

    def __init__(self, net: mx.gluon.HybridBlock, card: Card, checks: ExportChecks) -> None:
        self.net, self.card, self.checks = net, card, checks
        if checks.compare:  # before anything is written, with the network as it was handed in
            self._predictor = of_network(net, card.replace(preprocess=False, dynamic=False))
            self._images = _images(card, checks)
            self._logits = self._predictor.predict(self._images)
            self._score = evaluate_predictor(self._predictor, checks.test) if checks.test is not None else None

    def agreement(self, loaded: Predictor, path: Path, target: ExportTarget, tolerance: float) -> Agreement:
        """Compare a loaded file with the network.

        Args:
            loaded: The file.
            path: Where it will be, for messages.
            target: What it is.
            tolerance: Largest difference of the logits allowed, relative to the largest logit.

        Raises:
            UserError: They differ.
        """
        found = compare_predictor(loaded, path, self._images, self._logits, tolerance)
        return _required(found, target)

    def check_other_size(self, loaded: Predictor, path: Path, target: ExportTarget, tolerance: float) -> None:
        """Compare a loaded file with the network on images that are larger and not square.

        Args:
            loaded: The file.
            path: Where it will be, for messages.
            target: What it is.
            tolerance: Largest difference of the logits allowed, relative to the largest logit.

        Raises:
            UserError: They differ, or the network takes images of one size only.
        """
        _, height, width = self.card.input_shape
        images = random_images(self.card.replace(input_shape=(3, height + 32, width + 64)), 2)
        free = Predictor("run", self.card.replace(preprocess=False, dynamic=True), self._predictor.forward)
        try:
            _required(compare_predictor(loaded, path, images, free.predict(images), tolerance), target)
        except Exception as error:  # each engine has its own
            raise UserError(
                f"this network takes one size of images only: leave option dynamic out ({engine_reason(error)})"
            ) from None

    def accuracy(self, loaded: Predictor, target: ExportTarget) -> dict[str, Any] | None:
        """Evaluate a loaded file on the test images.

        Args:
            loaded: The file.
            target: What it is.

        Returns:
            {"dataset", "images", "before", "after"}, accuracies from 0 to 1; None without test images.

        Raises:
            UserError: It loses more than `checks.max_drop`.
        """
        if self._score is None or self.checks.test is None:
            if target.precision == "int8":
                get_logger().warning("%s: without test images its accuracy is not known", target)
            return None
        images = self._score.images
        before = self._score.correct / images
        after = evaluate_predictor(loaded, self.checks.test).correct / images
        if before - after > self.checks.max_drop:
            raise UserError(
                f"nothing was exported: {target} has {after:.2%} instead of {before:.2%} on {images} images, a drop "
                f"above {self.checks.max_drop:.2%}; raise option max_drop, or take other calibration images or another "
                "option precision"
            )
        return {"dataset": self.checks.dataset, "images": images, "before": before, "after": after}


def _images(card: Card, checks: ExportChecks) -> np.ndarray:
    """The images that logits are compared on."""
    if checks.images is not None:
        return checks.images
    return random_images(card, _IMAGES) if checks.calibration is None else checks.calibration[:_IMAGES]


def _required(agreement: Agreement, target: ExportTarget) -> Agreement:
    if agreement.good:
        return agreement
    raise UserError(
        f"nothing was exported: {target} differs from the trained network by {agreement.difference:.1e} of the "
        f"largest logit, {agreement.other_class} of {agreement.images} images are in another class"
    )
