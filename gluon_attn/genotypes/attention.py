"""What a search for an attention found, as plain data."""

from dataclasses import dataclass
from numbers import Integral

from ..utils.errors import UserError
from .files import cells_of, look_up

#: the operations that ANAS chooses from
ATTENTION_OPS = (
    "none", "skip_connect", "relu_conv_bn_1x1", "sep_conv_3x3", "dil_conv_3x3", "avg_pool_3x3", "max_pool_3x3",
    "channel_score", "spatial_score",
)  # fmt: skip


@dataclass(frozen=True)
class AttentionGenotype:
    """A cell of nodes, each the sum of two operations.

    att: (operation, input) pairs, two for each node. Inputs 0 and 1 are the cell's input, 2 the first node and so on;
    a node takes what comes before it.
    """

    att: tuple

    def __post_init__(self):
        if not isinstance(self.att, tuple | list) or not self.att or len(self.att) % 2:
            raise UserError(f"a genotype's att must be a list of two edges a node, got {self.att!r}")
        object.__setattr__(self, "att", tuple(_edge(edge, 2 + i // 2) for i, edge in enumerate(self.att)))

    @property
    def nodes(self):
        """How many nodes it has."""
        return len(self.att) // 2

    def to_dict(self):
        """Plain data that `from_dict` reads back."""
        return {"att": [list(edge) for edge in self.att]}

    @classmethod
    def from_dict(cls, data):
        """Build from plain data, {"att": edges} or what a genotype file holds; anything else is a `UserError`."""
        if isinstance(data, dict) and "cells" in data:
            cell = cells_of(data, ("attention",))["attention"]
            data = {"att": cell.get("edges")} if isinstance(cell, dict) else cell
        if not isinstance(data, dict) or set(data) != {"att"}:
            raise UserError(f"an attention genotype is a mapping with the key 'att', got {data!r}")
        return cls(data["att"])


def _edge(edge, inputs):
    """(operation, input) of one edge that may take `inputs` inputs."""
    if not isinstance(edge, tuple | list) or len(edge) != 2:
        raise UserError(f"an edge is an operation and the number of its input, got {edge!r}")
    name, source = edge
    if name not in ATTENTION_OPS:
        raise UserError(f"unknown operation {name!r} in a genotype; choose from {', '.join(ATTENTION_OPS)}")
    if isinstance(source, bool) or not isinstance(source, Integral) or not 0 <= source < inputs:
        raise UserError(f"the input of {name} must be a whole number from 0 to {inputs - 1} there, got {source!r}")
    return name, int(source)


def attention_genotype(value):
    """The `AttentionGenotype` that a published name, plain data or a JSON file means."""
    if isinstance(value, AttentionGenotype):
        return value
    data, where = look_up(value, "attention", "a mapping with 'att'")
    try:
        return AttentionGenotype.from_dict(data)
    except UserError as error:
        raise UserError(f"{where}{error}") from None
