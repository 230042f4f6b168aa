"""The card of a trained network: what someone who has only the weights needs to know."""

import math
from dataclasses import dataclass
from typing import Any

from .base import Config, at_least, option

_LARGEST = 1 << 15  # pixels; larger ones are a mistake


def _shape(value: tuple[int, ...]) -> str | None:
    fits = len(value) == 3 and all(1 <= length <= _LARGEST for length in value)
    return None if fits else f"must be channels, height and width from 1 to {_LARGEST}"


def _finite(value: tuple[float, ...]) -> str | None:
    return None if value and all(math.isfinite(number) for number in value) else "must be finite numbers"


def _divisors(value: tuple[float, ...]) -> str | None:
    return _finite(value) or (None if min(value) > 0 else "must be above 0")


@dataclass(frozen=True)
class Card(Config):
    """The network, its input and its classes; part of every run folder (card.json) and every exported network.

    `get_model(card.model, card.classes, plan=card.plan, **card.options)` rebuilds the network. Its input is RGB,
    channels first: (pixels / 255 - mean) / std.
    """

    model: str = option("", "name of the network")
    classes: int = option(1000, "number of outputs", check=at_least(1))
    plan: dict[str, Any] | None = option(None, "plain data of its plan; None where the name implies it")
    options: dict[str, Any] = option({}, "options of the network")
    dataset: str = option("", "data set that it was trained on")
    class_names: tuple[str, ...] = option((), "name of each output")
    input_shape: tuple[int, ...] = option((3, 224, 224), "C,H,W of the input", check=_shape)
    mean: tuple[float, ...] = option((0.485, 0.456, 0.406), "subtracted from images of range 0 to 1", check=_finite)
    std: tuple[float, ...] = option((0.229, 0.224, 0.225), "divides the result", check=_divisors)
    preprocess: bool = option(False, "the graph takes raw images: N,H,W,C uint8")
    dynamic: bool = option(False, "the graph also takes images of other sizes")
    detection: dict[str, Any] | None = option(
        None, "of a detector: canvases, sizes of its images, COCO's numbers of its classes, what counts as a detection"
    )
