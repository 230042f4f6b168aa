"""Describe attentions, models and what a model costs, as plain data."""

import inspect
from dataclasses import dataclass
from typing import Any

from ..analyze.cost import Cost, cost
from ..analyze.detector_parts import NOTE
from ..analyze.paper_figures import Figures, compare, published
from ..attention.base import ATTENTIONS
from ..attention.factory import attention_options, get_attention
from ..config.model import ModelConfig
from ..convert.weight_sources import weight_sources
from ..models.build import build
from ..models.catalogue import catalogue
from ..models.detection import detector_record
from ..models.factory import get_model, model_info
from ..utils.errors import UserError, reason
from ..utils.log import get_logger

#: the feature map that attentions are counted on
CHANNELS, SIZE = 64, 32
_PHOTOGRAPH = 800, 1344  # canvas of a photograph for a detector


@dataclass(frozen=True)
class ModelCost:
    """What a model costs.

    Attributes:
        model: Its name.
        classes: Number of classes.
        input_shape: C,H,W of the image.
        cost: The `Cost`.
        figures: What was published of exactly this network, or None.
        note: What the figures are for.
    """

    model: str
    classes: int
    input_shape: tuple[int, int, int]
    cost: Cost
    figures: Figures | None
    note: str = ""

    def comparison(self) -> list[dict[str, Any]]:
        """A row for each published figure: what, ours, printed, published, difference."""
        return compare(self.figures, self.cost) if self.figures else []

    def to_dict(self, layers: bool = False) -> dict[str, Any]:
        """Plain data; with `layers` also a row for each operator."""
        figures = self.figures
        rows = {"source": figures.source, "note": figures.note, "rows": self.comparison()} if figures else None
        data = {"model": self.model, "classes": self.classes, "input_shape": list(self.input_shape)}
        note = {"note": self.note} if self.note else {}
        return {**data, **self.cost.to_dict(layers), "published": rows, **note}


def model_cost(config: ModelConfig, classes: int | None = None, input_size: int | None = None) -> ModelCost:
    """Count parameters and MACs of a model.

    Args:
        config: The model.
        classes: Number of classes (default: the model's own).
        input_size: Height and width of the image (default: option model_options input_size, else the model's own; of a
            detector 800 and 1344).
    """
    info, detector = model_info(config.model), detector_record(config.model) is not None
    own = config.model_options.get("input_size") if input_size is None else None
    side, classes = input_size or (own if isinstance(own, int) else info.input_size), classes or info.classes
    net = build(config, classes, side)
    shape = (3, side, side) if input_size or not detector else (3, *_PHOTOGRAPH)
    note = NOTE if detector else ""
    return ModelCost(net.recipe["model"], classes, shape, cost(net, shape), published(net.recipe), note)


def describe_attention(name: str) -> dict[str, Any]:
    """Name, slot, options with defaults, learnable weights at 64 channels of 32x32, and summary of an attention.

    A plugin's attention that cannot be made or counted has None as weights, and a warning.
    """
    options, kind = attention_options(name), ATTENTIONS.get(name)
    return {
        "name": name,
        "slot": kind.slot,
        "options": {key: None if value is inspect.Parameter.empty else value for key, value in options.items()},
        "weights": _weights(name, {"spatial": SIZE} if "spatial" in options else {}),
        "summary": (kind.__doc__ or "").strip().split("\n")[0],
    }


def _weights(name: str, options: dict[str, Any]) -> int | None:
    try:
        return cost(get_attention(name, CHANNELS, **options), (CHANNELS, SIZE, SIZE)).params
    except Exception as error:  # code of others must not hide the other attentions
        get_logger().warning("attention %s: %s; gluon-attn check %s tells more", name, reason(error), name)
        return None


def published_files() -> dict[str, list[str]]:
    """Model -> names of its published parameter files, with any attention; a failing catalogue is a warning."""
    found: dict[str, list[str]] = {}
    try:
        entries = catalogue()
    except UserError as error:
        get_logger().warning("published files are left out: %s", error)
        return found
    for name, entry in entries.items():
        found.setdefault(entry.card.model, []).append(name)
    return found


def describe_model(name: str, with_cost: bool = False) -> dict[str, Any]:
    """What is known of a model, as plain data.

    Args:
        name: of the model.
        with_cost: whether its parameters and MACs are counted, too.

    Returns:
        Name, input shape, options with defaults, whose weight files it takes.
    """
    info = model_info(name)
    row: dict[str, Any] = {
        "name": name,
        "input_shape": [3, info.input_size, info.input_size],
        "options": info.options(),
        "weights_of": weight_sources(name),
    }
    if with_cost:
        result = cost(get_model(name, info.classes), row["input_shape"])
        row.update(params=result.params, macs=result.macs)
    return row
