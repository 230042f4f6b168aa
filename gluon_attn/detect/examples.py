"""Pictures of a few test images, with what a detector in training finds in them."""

from collections.abc import Mapping
from typing import Any

import mxnet as mx
import numpy as np

from ..data.canvas import Placement
from ..data.coco import CocoSet
from ..data.image_notes import BadImage
from ..engine.task import TrainingLoop
from ..models.detection import Detector
from .inference import InferenceOptions, detect
from .pictures import draw
from .task import in_image

_COUNT = 4
_SCORE = 0.3  # least score of what is drawn


class TestPictures:
    """The first test images with boxes, masks, classes and scores, after each evaluation.

    Args:
        net: the detector.
        images: the test set.
        placement: how images get onto its canvases.
        inference: what counts as a detection.
    """

    __test__ = False  # no test for pytest

    def __init__(self, net: Detector, images: CocoSet, placement: Placement, inference: InferenceOptions) -> None:
        self._net, self._images, self._placement, self._inference = net, images, placement, inference

    def __call__(self, trainer: TrainingLoop, record: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Name of an image -> its picture; none in an epoch that was not evaluated."""
        if not any(key.startswith("val_") for key in record):
            return {}
        with trainer.ema_weights():
            found = [self._picture(trainer, number) for number in range(min(_COUNT, len(self._images)))]
        return {f"detections/{name}": picture for name, picture in found if picture is not None}

    def _picture(self, trainer: TrainingLoop, number: int) -> tuple[str, np.ndarray | None]:
        name = self._images.name(number)
        try:
            pixels = self._images.pixels(number)
        except BadImage:  # which the evaluation has told
            return name, None
        sample = self._placement.place(pixels)
        image = mx.nd.array(sample.image[None], ctx=trainer.contexts[0])
        (found,) = detect(self._net, image, [sample.size], self._inference, trainer.forward)
        return name, draw(pixels, in_image(found, sample), self._images.class_names, _SCORE)
