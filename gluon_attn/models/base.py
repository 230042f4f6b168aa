"""The record of a model in the registry, and the registry."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..registry import Registry

if TYPE_CHECKING:  # a plan needs no MXNet
    from mxnet.gluon import HybridBlock

#: name -> `Model`; `models/zoo.py` fills it
MODELS: Registry[Model] = Registry("model", extended=True)


@dataclass(frozen=True)
class Model:
    """What the registry holds of a model.

    Attributes:
        build: `build(plan, classes, **options)` gives the uninitialized network.
        input_size: height and width in pixels of the images that it was designed for.
        stages: number of its stages.
        head: whether an activation follows the last stage. An `act` slot counts it as one more stage.
        classes: number of classes of the data set that it was designed for.
        entries: plan entries that belong to its name, as plain data. () if there are none.
        own_plan: whether its attention belongs to its name, by `entries` or by its own options. Such a model takes no
            other attention and no plan. With `entries` but not its own plan, another attention takes their place.
        blocks: number of blocks in each stage; () if its options decide, or if it has no residual blocks.
        backbone: name of the model without `entries`; None if there are none.
        own: attentions that belong to its name by its own options, in place of `entries`.
        preset: options of `backbone` that have another default here.
    """

    build: Callable[..., HybridBlock]
    input_size: int
    stages: int
    head: bool = False
    classes: int = 1000
    entries: tuple[Mapping[str, Any], ...] = ()
    own_plan: bool = False
    blocks: tuple[int, ...] = ()
    backbone: str | None = None
    own: tuple[str, ...] = ()
    preset: Mapping[str, Any] = field(default_factory=dict)

    @property
    def act_stages(self) -> int:
        """Number of stages that an `act` slot counts, the head included."""
        return self.stages + self.head

    @property
    def attentions(self) -> list[str]:
        """The attentions that belong to its name, each once."""
        return list(dict.fromkeys([*self.own, *(entry["name"] for entry in self.entries)]))

    def options(self) -> dict[str, Any]:
        """Option name -> default value."""
        parameters = inspect.signature(self.build).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


def network_text(recipe: Mapping[str, Any]) -> str:
    """A network in words, by its recipe or its card as plain data: "resnet50_v1b with se"."""
    name = recipe["model"]
    planned = [entry["name"] for entry in (recipe["plan"] or {}).get("entries", ())]
    attentions = planned or (MODELS.get(name).attentions if name in MODELS else [])
    return " with ".join([name, *filter(None, [" and ".join(dict.fromkeys(attentions))])])
