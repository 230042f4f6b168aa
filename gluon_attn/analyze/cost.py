"""Parameters and MACs of a network, from its graph: every operator that runs is counted."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import mxnet as mx

from ..attention.base import Attention
from ..models.detection import Detector
from .detector_parts import DetectorPart, detector_parts
from .graph import GraphNode, NetworkGraph, read_graph
from .rules import work

_STAGE = re.compile(r"stage\d+")


@dataclass(frozen=True)
class Row:
    """One operator, or a sum of several.

    Attributes:
        name: Of the operator, with the blocks around it, or of the part.
        op: Name of the operator; empty for a sum.
        output: Shape of the last output, for a batch of one.
        params: Learnable parameters.
        macs: MACs (multiply-accumulates) for one image.
        other_ops: All other arithmetic for one image.
    """

    name: str
    op: str
    output: tuple[int, ...]
    params: int
    macs: int
    other_ops: int


@dataclass(frozen=True)
class Cost:
    """What a network costs for one image.

    Attributes:
        params: Learnable weights, each once however often it is used.
        fixed: Weights that are never trained, such as gamma of a BatchNorm with scale=False.
        statistics: Running means and variances.
        macs: MACs of convolutions, dense layers and matrix products; biases count as other operations.
        other_ops: All other arithmetic (`rules.py`).
        layers: A `Row` for each operator.
        parts: A `Row` for each part (stem, stages, head).
        attention: The sum of all attention modules, which the parts contain.
    """

    params: int
    fixed: int
    statistics: int
    macs: int
    other_ops: int
    layers: tuple[Row, ...]
    parts: tuple[Row, ...]
    attention: Row

    def total(self) -> Row:
        """The whole network as one row."""
        return Row("total", "", self.parts[-1].output, self.params, self.macs, self.other_ops)

    def to_dict(self, layers: bool = False) -> dict[str, Any]:
        """Plain data; with `layers` also the rows of single operators."""
        data = asdict(self)
        if not layers:
            del data["layers"]
        return data


def cost(
    net: mx.gluon.HybridBlock | mx.sym.Symbol, input_shape: Sequence[int] | Mapping[str, Sequence[int]] = (3, 32, 32)
) -> Cost:
    """Count what a network costs.

    Args:
        net: A network, initialized or not, or a symbol with the input `data`. Of a detector its three graphs count,
            with `detector_parts.ROIS` rois in the box head and `MASKS` in the mask head.
        input_shape: Shape of one image, without the batch; or the shape of each input, see `read_graph`.

    Raises:
        UserError: An operator has no counting rule, or the input shape does not fit.
    """
    if isinstance(net, Detector):
        return _joined([(part, cost(part.block, part.shapes)) for part in detector_parts(net, input_shape)])
    read = read_graph(net, input_shape, mark=Attention)
    rows, parts, inside = [], [], []
    counted: set[str] = set()
    for node in read.nodes:
        new = [read.tensors[name] for name in dict.fromkeys(node.tensors) if name not in counted]
        counted.update(tensor.name for tensor in new)
        params = sum(math.prod(tensor.shape) for tensor in new if tensor.kind == "learnable")
        rows.append(Row("/".join(node.path) or node.name, node.op, node.outputs[0], params, *work(node)))
        parts.append(_part(node))
        inside.append(any(node.path[:depth] in read.marked for depth in range(len(node.path) + 1)))
    return Cost(
        params=_count(read, "learnable"),
        fixed=_count(read, "fixed"),
        statistics=_count(read, "statistics"),
        macs=sum(row.macs for row in rows),
        other_ops=sum(row.other_ops for row in rows),
        layers=tuple(rows),
        parts=tuple(_sum_parts(rows, parts)),
        attention=_sum("attention", [row for row, chosen in zip(rows, inside, strict=True) if chosen]),
    )


def _joined(costs: Sequence[tuple[DetectorPart, Cost]]) -> Cost:
    """The cost of a detector, a part for each stage and each further graph."""
    parts: dict[str, list[Row]] = {}
    for part, one in costs:
        for row in one.parts if part.titles else [one.total()]:
            name = part.titles.get(row.name, row.name) if part.titles else part.title
            parts[name] = [*parts.pop(name, []), row]  # in the order of their ends
    rows = [replace(row, name=f"{part.name}/{row.name}") for part, one in costs for row in one.layers]
    found = [one for _, one in costs]
    return Cost(
        params=sum(one.params for one in found),
        fixed=sum(one.fixed for one in found),
        statistics=sum(one.statistics for one in found),
        macs=sum(one.macs for one in found),
        other_ops=sum(one.other_ops for one in found),
        layers=tuple(rows),
        parts=tuple(_sum(name, group) for name, group in parts.items()),
        attention=found[0].attention,
    )


def _count(read: NetworkGraph, kind: str) -> int:
    return sum(math.prod(tensor.shape) for tensor in read.tensors.values() if tensor.kind == kind)


def _part(node: GraphNode) -> str | None:
    """The stage in the operator's name, or None outside of the stages."""
    found = _STAGE.search(node.name)
    return found.group() if found else None


def _sum_parts(rows: Sequence[Row], parts: Sequence[str | None]) -> list[Row]:
    """A row for each stage; what runs before the first is the stem, what runs after the last the head."""
    stages = [i for i, part in enumerate(parts) if part]
    if not stages:
        return [_sum("network", rows)]
    groups: dict[str, list[Row]] = {}
    for i, (row, part) in enumerate(zip(rows, parts, strict=True)):
        name = part or ("stem" if i < stages[0] else "head" if i > stages[-1] else "between stages")
        groups.setdefault(name, []).append(row)
    return [_sum(name, group) for name, group in groups.items()]


def _sum(name: str, rows: Sequence[Row]) -> Row:
    return Row(
        name=name,
        op="",
        output=rows[-1].output if rows else (),
        params=sum(row.params for row in rows),
        macs=sum(row.macs for row in rows),
        other_ops=sum(row.other_ops for row in rows),
    )
