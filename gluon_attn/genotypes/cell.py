"""The genotype of the cells of a network, as plain data: what DARTS and Att-DARTS search for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..utils.errors import UserError
from .edges import flat_edges, is_whole
from .files import cells_of, look_up

#: cell -> its title in a picture, in the order in which the cells are read and drawn, from the top
CELL_TITLES = {"normal": "normal cell", "reduce": "reduction cell"}
CELL_NAMES = tuple(CELL_TITLES)


@dataclass(frozen=True)
class CellEdges:
    """One cell: nodes, each the sum of two edges.

    Attributes:
        edges: (first layer, input, second layer) of each edge, two edges per node, one list for all of them or one for
            each node. A layer is an operation of
            `nn.cell_ops` or an attention; the second is "" on all edges or on none. Inputs 0 and 1 are the outputs of
            the two cells before, 2 is the first node, and so on; the input of an edge comes before its node.
        concat: the nodes whose feature maps are the output, numbered as inputs are.
        bottleneck: an attention after the concatenation, or "".

    Raises:
        UserError: the values are no cell.
    """

    edges: Sequence[Sequence[Any]]
    concat: Sequence[int]
    bottleneck: str = ""

    def __post_init__(self) -> None:
        flat = flat_edges(self.edges)
        if not isinstance(flat, tuple | list) or not flat or len(flat) % 2:
            raise UserError(f"a cell's edges must be a list of two per node, got {self.edges!r}")
        edges = tuple(_edge(edge, 2 + i // 2) for i, edge in enumerate(flat))
        if len({bool(second) for _, _, second in edges}) > 1:
            raise UserError("a cell must have a second layer on all of its edges or on none")
        last = 1 + len(edges) // 2
        nodes = tuple(self.concat) if isinstance(self.concat, tuple | list) else ()
        if not nodes or not all(is_whole(i) and 2 <= i <= last for i in nodes) or len(set(nodes)) < len(nodes):
            raise UserError(f"a cell's concat must be a list of nodes from 2 to {last}, each once, got {self.concat!r}")
        if not isinstance(self.bottleneck, str):
            raise UserError(f"a cell's bottleneck must be the name of an attention or '', got {self.bottleneck!r}")
        object.__setattr__(self, "edges", edges)
        object.__setattr__(self, "concat", nodes)

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.edges) // 2

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `CellGenotype.from_dict` reads back."""
        return {
            "edges": [list(edge) for edge in self.edges],
            "concat": list(self.concat),
            "bottleneck": self.bottleneck,
        }


def _edge(edge: Any, inputs: int) -> tuple[str, int, str]:
    """(first layer, input, second layer) of an edge with `inputs` possible inputs; pairs have no second layer."""
    if not isinstance(edge, tuple | list) or len(edge) not in (2, 3):
        raise UserError(f"an edge is an operation, the number of its input and a second layer or '', got {edge!r}")
    first, source, second = (*edge, "")[:3]
    if not isinstance(first, str) or not first or not isinstance(second, str):
        raise UserError(f"the layers of an edge must be names, got {edge!r}")
    if not is_whole(source) or not 0 <= source < inputs:
        raise UserError(f"the input of {first} must be a whole number from 0 to {inputs - 1} there, got {source!r}")
    return first, int(source), second


@dataclass(frozen=True)
class CellGenotype:
    """The two cells of a network.

    Attributes:
        normal: the cell that keeps height and width.
        reduce: the reduction cell, which halves them.
    """

    normal: CellEdges
    reduce: CellEdges

    def to_dict(self) -> dict[str, Any]:
        """Its cells as plain data; `files.document` makes the content of a file of them."""
        return {name: getattr(self, name).to_dict() for name in CELL_NAMES}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "CellGenotype":
        """Build from plain data.

        Args:
            data: the content of a genotype file, what `to_dict` gives, or DARTS's and Att-DARTS's form: "normal",
                "normal_concat", "normal_bottleneck" (may be missing), and the same of "reduce".

        Raises:
            UserError: it is none of these.
        """
        if "cells" in data:
            data = cells_of(data, CELL_NAMES)
        elif "normal_concat" in data or isinstance(data.get("normal"), tuple | list):
            data = {name: _from_darts(data, name) for name in CELL_NAMES}
        return cls(*(_cell(data, name) for name in CELL_NAMES))


def _from_darts(data: dict[str, Any], name: str) -> dict[str, Any]:
    bottleneck = data.get(f"{name}_bottleneck", "")
    return {"edges": data.get(name), "concat": data.get(f"{name}_concat"), "bottleneck": bottleneck}


def _cell(data: dict[str, Any], name: str) -> CellEdges:
    cell = data.get(name)
    if not isinstance(cell, dict) or not {"edges", "concat"} <= set(cell) <= {"edges", "concat", "bottleneck"}:
        raise UserError(f"the {name} cell of a genotype is a mapping with 'edges' and 'concat', got {cell!r}")
    return CellEdges(**cell)


def cell_genotype(value: "CellGenotype | dict[str, Any] | Path | str") -> CellGenotype:
    """The genotype of the cells of a network.

    Args:
        value: a published name, plain data, `Genotype(...)` as text, a file that holds one, or a genotype, which is
            returned as it is.

    Raises:
        UserError: it is none of these, or no genotype of cells; the message names the file.
    """
    if isinstance(value, CellGenotype):
        return value
    data, where = look_up(value, CELL_NAMES[0], "a mapping with 'normal' and 'reduce'")
    try:
        return CellGenotype.from_dict(data)
    except UserError as error:
        raise UserError(f"{where}{error}") from None
