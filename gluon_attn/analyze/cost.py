"""Parameters and work of a network, from its graph: every operator that runs is counted."""

import math
import re
from dataclasses import asdict, dataclass

from ..attention.base import Attention
from .graph import read_graph
from .rules import work

_STAGE = re.compile(r"stage\d+")


@dataclass(frozen=True)
class Row:
    """One operator, or a sum of several: learnable parameters, MACs and other operations of one image."""

    name: str
    op: str
    output: tuple
    params: int
    macs: int
    other_ops: int


@dataclass(frozen=True)
class Cost:
    """What one image costs.

    params: learnable weights, each once however often it is used. fixed: weights that are never trained, such as the
    scale of a BatchNorm with scale=False. statistics: running means and variances. macs: multiply-accumulates of
    convolutions, dense layers and matrix products, biases apart. other_ops: all other arithmetic (`rules.py`).
    layers: a `Row` for each operator. parts: a `Row` for each part (stem, stages, head). attention: the sum of all
    attention modules, which the parts contain.
    """

    params: int
    fixed: int
    statistics: int
    macs: int
    other_ops: int
    layers: tuple
    parts: tuple
    attention: Row

    def to_dict(self, layers=False):
        """Plain data, with or without the rows of single layers."""
        data = asdict(self)
        if not layers:
            del data["layers"]
        return data


def cost(net, input_shape=(3, 32, 32)):
    """The `Cost` of a `HybridBlock` (initialized or not) or a `Symbol` with the input `data`.

    input_shape: of one image, without the batch. An operator without a counting rule, and an input shape that does
    not fit, are a `UserError`.
    """
    read = read_graph(net, input_shape, mark=Attention)
    rows, parts, inside, counted = [], [], [], set()
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


def _count(read, kind):
    return sum(math.prod(tensor.shape) for tensor in read.tensors.values() if tensor.kind == kind)


def _part(node):
    """The stage in the operator's name, or None outside of the stages."""
    found = _STAGE.search(node.name)
    return found.group() if found else None


def _sum_parts(rows, parts):
    """A row for each stage; what runs before the first is the stem, what runs after the last the head."""
    stages = [i for i, part in enumerate(parts) if part]
    if not stages:
        return [_sum("network", rows)]
    groups = {}
    for i, (row, part) in enumerate(zip(rows, parts, strict=True)):
        name = part or ("stem" if i < stages[0] else "head" if i > stages[-1] else "between stages")
        groups.setdefault(name, []).append(row)
    return [_sum(name, group) for name, group in groups.items()]


def _sum(name, rows):
    return Row(
        name=name,
        op="",
        output=rows[-1].output if rows else (),
        params=sum(row.params for row in rows),
        macs=sum(row.macs for row in rows),
        other_ops=sum(row.other_ops for row in rows),
    )
