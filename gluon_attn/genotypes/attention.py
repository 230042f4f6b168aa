"""The genotype of an attention, as plain data: what ANAS searches for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..utils.errors import UserError
from .edges import flat_edges, is_whole, unknown_operation
from .files import cells_of, look_up

#: candidate operations of ANAS
ATTENTION_OPS = (
    "none", "skip_connect", "relu_conv_bn_1x1", "sep_conv_3x3", "dil_conv_3x3", "avg_pool_3x3", "max_pool_3x3",
    "channel_score", "spatial_score",
)  # fmt: skip


@dataclass(frozen=True)
class AttentionGenotype:
    """A cell of nodes, each the sum of two operations.

    Attributes:
        att: (operation, input) of each edge, two edges per node, one list for all or one for each node. Inputs 0 and 1
            are the cell's input, 2 is the first node, and so on; the input of an edge comes before its node.

    Raises:
        UserError: the edges are no genotype.
    """

    att: Sequence[tuple[str, int]]

    def __post_init__(self) -> None:
        flat = flat_edges(self.att)
        if not isinstance(flat, tuple | list) or not flat or len(flat) % 2:
            raise UserError(f"a genotype's att must be a list of two edges per node, got {self.att!r}")
        object.__setattr__(self, "att", tuple(_edge(edge, 2 + i // 2) for i, edge in enumerate(flat)))

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.att) // 2

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` reads back."""
        return {"att": [list(edge) for edge in self.att]}

    @classmethod
    def from_dict(cls, data: Any) -> "AttentionGenotype":
        """Build from plain data.

        Args:
            data: {"att": edges}, or the content of a genotype file.

        Raises:
            UserError: it is neither.
        """
        if isinstance(data, dict) and "cells" in data:
            cell = cells_of(data, ("attention",))["attention"]
            data = {"att": cell.get("edges")} if isinstance(cell, dict) else cell
        if not isinstance(data, dict) or set(data) != {"att"}:
            raise UserError(f"an attention genotype is a mapping with the key 'att', got {data!r}")
        return cls(data["att"])


def _edge(edge: Any, inputs: int) -> tuple[str, int]:
    """(operation, input) of an edge with `inputs` possible inputs."""
    if not isinstance(edge, tuple | list) or len(edge) != 2:
        raise UserError(f"an edge is an operation and the number of its input, got {edge!r}")
    name, source = edge
    if name not in ATTENTION_OPS:
        raise UserError(unknown_operation(name, ATTENTION_OPS))
    if not is_whole(source) or not 0 <= source < inputs:
        raise UserError(f"the input of {name} must be a whole number from 0 to {inputs - 1} there, got {source!r}")
    return name, int(source)


def attention_genotype(value: "AttentionGenotype | dict[str, Any] | Path | str") -> AttentionGenotype:
    """The genotype of an attention.

    Args:
        value: a published name, plain data, `Genotype(...)` as text, a file that holds one, or a genotype, which is
            returned as it is.

    Raises:
        UserError: it is none of these, or no genotype of an attention; the message names the file.
    """
    if isinstance(value, AttentionGenotype):
        return value
    data, where = look_up(value, "attention", "a mapping with 'att'")
    try:
        return AttentionGenotype.from_dict(data)
    except UserError as error:
        raise UserError(f"{where}{error}") from None
