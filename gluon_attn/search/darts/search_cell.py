"""The cell of Att-DARTS's search network: every node is connected to all earlier states by mixed operations."""

from typing import Any

import mxnet as mx
from mxnet.gluon import HybridBlock, nn

from ...models.cell import attention_layer, preprocess
from ...nn import fast
from ...nn.cell_convs import concat_channels
from .mixed_op import MixedEdge, MixedOp, PartialEdge
from .space import CellSpace


class SearchCell(HybridBlock):
    """A cell with all edges, each a mixed operation.

    Called with the outputs of the two cells before, (N,before,..) and (N,last,..), and the weights of all edges;
    gives N,nodes*channels,H,W. Weights, as far as the space has them: softmax weights of the first layers, one row per
    edge; those of the second layers, one row per edge; with partial channels the edge parameters, one number per edge;
    the softmax weights of the attention at the end, one row.

    Args:
        space: a `CellSpace`.
        before, last, channels, size, reduction, halve: as of `models.cell.Cell`.
        parts: with more than 1, partial channels: see `PartialEdge`.
    """

    reference_key = "search_cell"

    def __init__(
        self,
        space: CellSpace,
        before: int,
        last: int,
        channels: int,
        size: int,
        *,
        reduction: bool = False,
        halve: bool = False,
        parts: int = 1,
    ) -> None:
        super().__init__()
        self._space, self.reduction, self.channels = space, reduction, channels * space.nodes
        self._weighted_edges = parts > 1
        with self.name_scope():
            self.preprocess0 = preprocess(before, channels, halve, affine=False)
            self.preprocess1 = preprocess(last, channels, False, affine=False)
            self.edges = nn.HybridSequential(prefix="")
            for node in range(space.nodes):
                for source in range(2 + node):
                    edge_args = space, channels, 2 if reduction and source < 2 else 1, size
                    self.edges.add(PartialEdge(*edge_args, parts) if self._weighted_edges else MixedEdge(*edge_args))
            self.last = MixedOp(prefix="last_") if space.last else None
            if self.last is not None:
                with self.last.name_scope():
                    self.last.add(*(attention_layer(name, self.channels, size) for name in space.last))

    def hybrid_forward(
        self, F: Any, before: mx.nd.NDArray, last: mx.nd.NDArray, *weights: mx.nd.NDArray
    ) -> mx.nd.NDArray:
        """Outputs of the two cells before and the weights, see the class -> N,channels,H,W."""
        weights, last_weights = (weights[:-1], weights[-1]) if self.last is not None else (weights, None)
        weights, edge_weights = (weights[:-1], weights[-1]) if self._weighted_edges else (weights, None)
        states, edge = [self.preprocess0(before), self.preprocess1(last)], 0
        for _ in range(self._space.nodes):
            outputs = []
            for x in states:
                rows = [F.slice_axis(matrix, axis=0, begin=edge, end=edge + 1) for matrix in weights]
                outputs.append(self.edges[edge](x, *rows))
                edge += 1
            if self._weighted_edges:
                into_node = F.slice_axis(edge_weights, axis=0, begin=edge - len(states), end=edge)
                states.append(fast.weighted_sum(F, outputs, F.softmax(into_node, axis=0)))
            else:
                states.append(F.add_n(*outputs))
        y = concat_channels(F, states[2:], self.channels)
        return y if self.last is None else self.last(y, last_weights)
