"""What the registry holds of a network, and the list of them."""

import inspect
from dataclasses import dataclass

from ..registry import Registry

MODELS = Registry("model")


@dataclass(frozen=True)
class Model:
    """What the registry holds of a network.

    build: `build(plan, classes, **options) -> HybridBlock`. input_size: height and width it was designed for.
    stages: number of its stages. head: an activation behind the last one. blocks: how many in each stage, where known.
    classes: of the data it was designed for.
    entries: its plan where that is part of its name; backbone: the network that has it. own_plan: so is what `build`
    makes of its own options.
    """

    build: object
    input_size: int
    stages: int
    head: bool = False
    classes: int = 1000
    entries: tuple = ()
    own_plan: bool = False
    blocks: tuple = ()
    backbone: str | None = None

    @property
    def places(self):
        """Number of `act` places to count over."""
        return self.stages + self.head

    def options(self):
        """Option name -> default."""
        parameters = inspect.signature(self.build).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
