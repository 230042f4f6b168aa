"""One searched cell: the layers that a genotype names, and the block that connects them.

Liu et al. 2019, https://arxiv.org/abs/1806.09055; Att-DARTS, https://github.com/chomin/Att-DARTS.
"""

from typing import Any

from mxnet.gluon import HybridBlock, nn

from ..attention.factory import ATTENTIONS, attention_options, get_attention
from ..genotypes.cell import CellEdges
from ..genotypes.edges import unknown_operation
from ..nn.cell_convs import FactorizedReduce, ReLUConvBN, concat_channels
from ..nn.cell_ops import CELL_OPS, Skip, cell_op
from ..nn.layers import DropPath
from ..utils.errors import UserError

#: attention -> options that Att-DARTS gives it; its parameter counts and scores are the published ones
OPTIONS: dict[str, dict[str, Any]] = {"SE": {"bias": False}, "BAM": {"variant": "reference"}}


def attention_layer(name: str, channels: int, size: int) -> HybridBlock:
    """An attention of a cell, with the options that Att-DARTS gives it.

    Args:
        name: of the attention, or an alias.
        channels: of input and output.
        size: height of the feature map.
    """
    options = dict(OPTIONS.get(name, {}))
    if "spatial" in attention_options(name):
        options["spatial"] = size
    return get_attention(name, channels, **options)


def second_layer(name: str, channels: int, size: int) -> HybridBlock:
    """The second layer of an edge: an operation or an attention.

    Args:
        name: of the operation or attention.
        channels: of input and output.
        size: height of the feature map.
    """
    return cell_op(name, channels) if name in CELL_OPS else attention_layer(name, channels, size)


def first_layer(name: str, channels: int, stride: int, size: int, reduction: bool) -> HybridBlock:
    """The first layer of an edge: an operation or an attention.

    Args:
        name: of the operation or attention.
        channels: of input and output.
        stride: of the edge.
        size: height of the output.
        reduction: the cell is a reduction cell: an attention then follows a skip connection with `stride`.

    Raises:
        UserError: there is neither an operation nor an attention of that name.
    """
    if name in CELL_OPS:
        return cell_op(name, channels, stride=stride)
    if name not in ATTENTIONS:
        raise UserError(unknown_operation(name, CELL_OPS.names()))
    if not reduction:
        return attention_layer(name, channels, size)
    both = nn.HybridSequential(prefix="")
    both.add(cell_op("skip_connect", channels, stride=stride, affine=False), attention_layer(name, channels, size))
    return both


def preprocess(in_channels: int, channels: int, halve: bool, affine: bool = True) -> HybridBlock:
    """The layer that fits an input of a cell to its nodes.

    Args:
        in_channels: of the input.
        channels: of the nodes.
        halve: it halves height and width.
        affine: its norm scales and shifts (default True).
    """
    make = FactorizedReduce if halve else ReLUConvBN
    return make(in_channels, channels, affine=affine)


class Cell(HybridBlock):
    """A searched cell: outputs of the two cells before -> N,len(concat)*channels,H,W.

    In training, paths are dropped in the edges of which neither layer is the identity.

    Args:
        edges: the searched edges.
        before: channels of the output of the cell before the last.
        last: channels of the output of the last cell.
        channels: channels of each node.
        size: H of the output.
        reduction: the cell halves height and width.
        halve: the last cell was a reduction cell, so the first input is twice as high and wide as the second.

    Attributes:
        channels: number of output channels.
    """

    reference_key = "cell"

    def __init__(
        self,
        edges: CellEdges,
        before: int,
        last: int,
        channels: int,
        size: int,
        *,
        reduction: bool = False,
        halve: bool = False,
    ):
        super().__init__()
        self._edges, self.channels = edges, channels * len(edges.concat)
        with self.name_scope():
            self.preprocess0 = preprocess(before, channels, halve)
            self.preprocess1 = preprocess(last, channels, False)
            self.first, self.second, self.drop = (nn.HybridSequential(prefix="") for _ in range(3))
            for name, source, attention in edges.edges:
                stride = 2 if reduction and source < 2 else 1
                layers = [first_layer(name, channels, stride, size, reduction)]
                self.first.add(layers[0])
                if attention:
                    layers.append(second_layer(attention, channels, size))
                    self.second.add(layers[1])
                self.drop.add(nn.HybridSequential() if any(map(is_identity, layers)) else DropPath())
            self.bottleneck = attention_layer(edges.bottleneck, self.channels, size) if edges.bottleneck else None

    def hybrid_forward(self, F: Any, before: Any, last: Any) -> Any:
        """Two arrays, (N,before,H,W) or twice as high and wide, and (N,last,H,W) -> N,channels,H,W."""
        states = [self.preprocess0(before), self.preprocess1(last)]
        for node in range(self._edges.nodes):
            first, second = (self._edge(states, edge) for edge in (2 * node, 2 * node + 1))
            states.append(first + second)
        y = concat_channels(F, [states[i] for i in self._edges.concat], self.channels)
        return self.bottleneck(y) if self.bottleneck else y

    def _edge(self, states, edge):
        x = self.first[edge](states[self._edges.edges[edge][1]])
        return self.drop[edge](self.second[edge](x) if len(self.second) else x)


def is_identity(layer: HybridBlock) -> bool:
    """Whether the output of a layer is its input. A path with such a layer is a shortcut, which is never dropped."""
    return isinstance(layer, (Skip, ATTENTIONS.get("identity")))
