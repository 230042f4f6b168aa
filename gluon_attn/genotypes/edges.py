"""What the edges of cells and of attentions share."""

from collections.abc import Iterable
from numbers import Integral
from typing import Any

from ..utils.errors import UserError
from ..utils.suggest import did_you_mean


def flat_edges(edges: Any) -> Any:
    """The edges of a cell as one list; some programs give a list of two edges for each node.

    Args:
        edges: of a cell, of either form; anything else is returned as it is.

    Raises:
        UserError: a node has not two edges.
    """
    if not _lists(edges) or not all(_lists(node) and all(_is_list(edge) for edge in node) for node in edges):
        return edges
    for number, node in enumerate(edges, 2):
        if len(node) != 2:
            raise UserError(f"a node of a genotype has two edges, node {number} has {len(node)}")
    return [edge for node in edges for edge in node]


def _is_list(value: Any) -> bool:
    return isinstance(value, tuple | list)


def _lists(value: Any) -> bool:
    """Whether it is a list of lists, not empty."""
    return _is_list(value) and bool(value) and all(_is_list(item) for item in value)


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number, and not true or false."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def unknown_operation(name: Any, known: Iterable[str]) -> str:
    """What to say of an operation that does not exist.

    Args:
        name: of the operation.
        known: the candidate operations.
    """
    known = list(known)
    near = did_you_mean(str(name), known, most=1)
    return f"unknown operation {name!r} in a genotype; {near}{' ' * bool(near)}choose from {', '.join(known)}"
