"""What a search chooses from."""

from dataclasses import dataclass

from ...attention.factory import ATTENTIONS
from ...genotypes.attention import ATTENTION_OPS
from ...nn.cell_ops import CELL_OPS
from ...utils.checks import choice
from ...utils.errors import UserError

#: the operations of DARTS, of which Att-DARTS searches these eight
DARTS_OPS = (
    "none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3",
    "dil_conv_5x5",
)  # fmt: skip
#: the attentions of Att-DARTS, by its names
ATTENTION_CHOICES = ("Identity", "SE", "BAM", "CBAM", "GE_theta-plus", "DoubleAttention")
#: operations that keep the size of their maps and so have no place in a cell that halves them
UNSTRIDED = ("channel_score", "spatial_score")
LOCATIONS = ("after_every", "end", "after_every_and_end", "mixed_with_operation", "double_mixed", "no_attention")


@dataclass(frozen=True)
class CellSpace:
    """Att-DARTS's space: what stands on an edge, what follows it, what ends a cell.

    first, second, last: names of operations and attentions, () for nothing there. nodes: of a cell, each with an edge
    from every state before it, of which the two strongest stay.
    """

    first: tuple
    second: tuple = ()
    last: tuple = ()
    nodes: int = 4

    @property
    def edges(self):
        """How many edges a cell has."""
        return edge_count(self.nodes)


def edge_count(nodes):
    """Edges of a cell whose nodes take all that comes before them, its two inputs included."""
    return sum(2 + node for node in range(nodes))


def cell_space(location="after_every", attentions=ATTENTION_CHOICES, operations=DARTS_OPS, nodes=4):
    """The `CellSpace` of a location of the attentions.

    location: "after_every" operation, at the "end" of each cell, "after_every_and_end", "mixed_with_operation" as more
    operations, "double_mixed" in two such layers, "no_attention". attentions: choices, the first of them Identity.
    """
    choice("location", location, LOCATIONS)
    known("operation", operations, CELL_OPS, UNSTRIDED)
    if len(attentions) < 2 or attentions[0] not in ("Identity", "identity"):
        raise UserError(f"attentions must be Identity and at least one other, got {', '.join(attentions) or 'none'}")
    operations, attentions = tuple(operations), tuple(attentions)
    known("attention", attentions, ATTENTIONS)
    mixed = operations + attentions[1:]  # Identity is skip_connect there
    if location in ("mixed_with_operation", "double_mixed"):
        return CellSpace(mixed, mixed if location == "double_mixed" else (), nodes=nodes)
    after = attentions if location.startswith("after_every") else ()
    return CellSpace(operations, after, attentions if location.endswith("end") else (), nodes)


@dataclass(frozen=True)
class AttentionSpace:
    """ANAS's space: operations of an attention of `nodes` nodes, each with an edge from every state before it."""

    operations: tuple = ATTENTION_OPS
    nodes: int = 3

    @property
    def edges(self):
        """How many edges the cell has."""
        return edge_count(self.nodes)


def attention_space(operations=ATTENTION_OPS, nodes=3):
    """The `AttentionSpace` of some of ANAS's operations, by default all."""
    others = [name for name in CELL_OPS.names() if name not in ATTENTION_OPS]
    known("operation", operations, CELL_OPS, others)
    return AttentionSpace(tuple(operations), nodes)


def known(kind, names, registry, excluded=()):
    """A `UserError` unless `names` are at least one besides "none", each once, in `registry` and not excluded."""
    for name in names:
        registry.get(name)  # an unknown one is an error that names the nearest
        if name in excluded:
            raise UserError(f"{kind} {name} has no place in this search: drop it")
    if len(set(names)) < len(names):
        raise UserError(f"each {kind} must be named once, got {', '.join(names)}")
    if not set(names) - {"none"}:
        raise UserError(f"a search needs at least one {kind} besides none, got {', '.join(names) or 'none'}")
