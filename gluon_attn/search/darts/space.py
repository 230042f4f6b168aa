"""Search spaces: the candidate operations and attentions among which a gradient search chooses."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ...attention.factory import ATTENTIONS
from ...genotypes.attention import ATTENTION_OPS
from ...nn.cell_ops import CELL_OPS
from ...registry import Registry
from ...utils.checks import choice
from ...utils.errors import UserError

#: the operations of DARTS, of which Att-DARTS searches these eight
DARTS_OPS = (
    "none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3",
    "dil_conv_5x5",
)  # fmt: skip
#: the candidate attentions of Att-DARTS, by its names
ATT_DARTS_ATTENTIONS = ("Identity", "SE", "BAM", "CBAM", "GE_theta-plus", "DoubleAttention")
#: operations without a stride, which a reduction cell cannot use
STRIDE_ONE_OPS = ("channel_score", "spatial_score")
LOCATIONS = ("after_every", "end", "after_every_and_end", "mixed_with_operation", "double_mixed", "no_attention")


@dataclass(frozen=True)
class CellSpace:
    """Att-DARTS's space of cells.

    Each node has an edge from every earlier node and from both inputs of the cell; the two strongest edges stay.

    Attributes:
        first: candidate operations (and attentions) of an edge's first layer.
        second: those of an edge's second layer; () for no second layer.
        last: candidate attentions at the end of the cell; () for none.
        nodes: number of intermediate nodes of a cell.
    """

    first: tuple[str, ...]
    second: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    nodes: int = 4

    @property
    def edges(self) -> int:
        """Number of edges of a cell."""
        return edge_count(self.nodes)


def edge_count(nodes: int) -> int:
    """Number of edges of a cell with two inputs, `nodes` nodes and an edge between every two states."""
    return sum(2 + node for node in range(nodes))


def cell_space(
    location: str = "after_every",
    attentions: Sequence[str] = ATT_DARTS_ATTENTIONS,
    operations: Sequence[str] = DARTS_OPS,
    nodes: int = 4,
) -> CellSpace:
    """Builds the `CellSpace` for a location of the attentions.

    Args:
        location: "after_every" operation (default), at the "end" of each cell, "after_every_and_end",
            "mixed_with_operation": attentions are further candidate operations, "double_mixed": two such layers on
            every edge, or "no_attention".
        attentions: candidate attentions, the first of them Identity.
        operations: candidate operations.
        nodes: number of intermediate nodes of a cell.

    Raises:
        UserError: for an unknown location or name, a name given twice, or nothing to choose from.
    """
    choice("location", location, LOCATIONS)
    check_candidates("operation", operations, CELL_OPS, STRIDE_ONE_OPS)
    if len(attentions) < 2 or attentions[0] not in ("Identity", "identity"):
        raise UserError(f"attentions must be Identity and at least one other, got {', '.join(attentions) or 'none'}")
    operations, attentions = tuple(operations), tuple(attentions)
    check_candidates("attention", attentions, ATTENTIONS)
    mixed = operations + attentions[1:]  # skip_connect already is the identity
    if location in ("mixed_with_operation", "double_mixed"):
        return CellSpace(mixed, mixed if location == "double_mixed" else (), nodes=nodes)
    second = attentions if location.startswith("after_every") else ()
    return CellSpace(operations, second, attentions if location.endswith("end") else (), nodes)


@dataclass(frozen=True)
class AttentionSpace:
    """ANAS's space of attention cells: `nodes` nodes, each with an edge from every earlier state.

    Attributes:
        operations: candidate operations of an edge (default: ANAS's nine).
        nodes: number of intermediate nodes.
    """

    operations: tuple[str, ...] = ATTENTION_OPS
    nodes: int = 3

    @property
    def edges(self) -> int:
        """Number of edges of the attention cell."""
        return edge_count(self.nodes)


def attention_space(operations: Sequence[str] = ATTENTION_OPS, nodes: int = 3) -> AttentionSpace:
    """Builds the `AttentionSpace` of some of ANAS's operations.

    Args:
        operations: candidate operations (default: all of ANAS's).
        nodes: number of intermediate nodes (default 3, ANAS's).

    Raises:
        UserError: for an unknown operation, one given twice, or nothing to choose from.
    """
    others = [name for name in CELL_OPS.names() if name not in ATTENTION_OPS]
    check_candidates("operation", operations, CELL_OPS, others)
    return AttentionSpace(tuple(operations), nodes)


def check_candidates(kind: str, names: Sequence[str], registry: Registry, excluded: Collection[str] = ()) -> None:
    """Checks a list of candidates.

    Args:
        kind: what they are, for the error message: "operation" or "attention".
        names: their names.
        registry: where each must be registered.
        excluded: registered names that this search cannot use.

    Raises:
        UserError: for an unknown or excluded name, a name given twice, or no name besides "none".
    """
    for name in names:
        registry.get(name)  # the error for an unknown name suggests the nearest
        if name in excluded:
            raise UserError(f"{kind} {name} has no place in this search: drop it")
    if len(set(names)) < len(names):
        raise UserError(f"each {kind} must be named once, got {', '.join(names)}")
    if not set(names) - {"none"}:
        raise UserError(f"a search needs at least one {kind} besides none, got {', '.join(names) or 'none'}")
