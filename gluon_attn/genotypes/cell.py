"""The cells of a searched network, as plain data."""

from dataclasses import dataclass
from numbers import Integral

from ..utils.errors import UserError
from .files import cells_of, look_up

NAMES = ("normal", "reduce")


@dataclass(frozen=True)
class CellEdges:
    """One cell: nodes that each add two edges, and what follows them.

    edges: (first layer, input, second layer), two for each node. Layers are operations of `cell_ops` or attentions;
    the second is "" on all edges or on none. Inputs 0 and 1 are the outputs of the two cells before, 2 the first node
    and so on; a node takes what comes before it. concat: the nodes, counted likewise, whose maps are the output.
    bottleneck: an attention behind them, or "".
    """

    edges: tuple
    concat: tuple
    bottleneck: str = ""

    def __post_init__(self):
        if not isinstance(self.edges, tuple | list) or not self.edges or len(self.edges) % 2:
            raise UserError(f"a cell's edges must be a list of two a node, got {self.edges!r}")
        edges = tuple(_edge(edge, 2 + i // 2) for i, edge in enumerate(self.edges))
        if len({bool(second) for _, _, second in edges}) > 1:
            raise UserError("a cell must have a second layer on all of its edges or on none")
        last = 1 + len(edges) // 2
        nodes = tuple(self.concat) if isinstance(self.concat, tuple | list) else ()
        if not nodes or len(set(nodes)) < len(nodes) or not all(_whole(i) and 2 <= i <= last for i in nodes):
            raise UserError(f"a cell's concat must be a list of nodes from 2 to {last}, each once, got {self.concat!r}")
        if not isinstance(self.bottleneck, str):
            raise UserError(f"a cell's bottleneck must be the name of an attention or '', got {self.bottleneck!r}")
        object.__setattr__(self, "edges", edges)
        object.__setattr__(self, "concat", nodes)

    @property
    def nodes(self):
        """How many nodes it has."""
        return len(self.edges) // 2

    def to_dict(self):
        """Plain data that `CellGenotype.from_dict` reads back."""
        return {
            "edges": [list(edge) for edge in self.edges],
            "concat": list(self.concat),
            "bottleneck": self.bottleneck,
        }


def _whole(value):
    return isinstance(value, Integral) and not isinstance(value, bool)


def _edge(edge, inputs):
    """(first layer, input, second layer) of an edge that may take `inputs` inputs; published pairs have no second."""
    if not isinstance(edge, tuple | list) or len(edge) not in (2, 3):
        raise UserError(f"an edge is a layer, the number of its input and a second layer or '', got {edge!r}")
    first, source, second = (*edge, "")[:3]
    if not isinstance(first, str) or not first or not isinstance(second, str):
        raise UserError(f"the layers of an edge must be names, got {edge!r}")
    if not _whole(source) or not 0 <= source < inputs:
        raise UserError(f"the input of {first} must be a whole number from 0 to {inputs - 1} there, got {source!r}")
    return first, int(source), second


@dataclass(frozen=True)
class CellGenotype:
    """The two cells of a network: `normal` keeps the size of the maps, `reduce` halves it."""

    normal: CellEdges
    reduce: CellEdges

    def to_dict(self):
        """Its cells as plain data; `genotype_files.document` makes them a file."""
        return {name: getattr(self, name).to_dict() for name in NAMES}

    @classmethod
    def from_dict(cls, data):
        """Build from plain data: what a genotype file holds, `to_dict`, or the files that Att-DARTS writes."""
        if "cells" in data:
            data = cells_of(data, NAMES)
        elif "normal_concat" in data:
            data = {name: _flat(data, name) for name in NAMES}
        return cls(*(_cell(data, name) for name in NAMES))


def _flat(data, name):
    bottleneck = data.get(f"{name}_bottleneck", "")
    return {"edges": data.get(name), "concat": data.get(f"{name}_concat"), "bottleneck": bottleneck}


def _cell(data, name):
    cell = data.get(name)
    if not isinstance(cell, dict) or not {"edges", "concat"} <= set(cell) <= {"edges", "concat", "bottleneck"}:
        raise UserError(f"the {name} cell of a genotype is a mapping with 'edges' and 'concat', got {cell!r}")
    return CellEdges(**cell)


def cell_genotype(value):
    """The `CellGenotype` that a published name, plain data or a JSON file means."""
    if isinstance(value, CellGenotype):
        return value
    data, where = look_up(value, NAMES[0], "a mapping with 'normal' and 'reduce'")
    try:
        return CellGenotype.from_dict(data)
    except UserError as error:
        raise UserError(f"{where}{error}") from None
