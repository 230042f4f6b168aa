"""Mixed operations: the sum of all candidate operations of an edge, weighted by a softmax (DARTS)."""

import itertools
from collections.abc import Sequence
from typing import Any

import mxnet as mx
from mxnet.gluon import HybridBlock, nn

from ...models.cell import attention_layer
from ...nn.cell_ops import CELL_OPS, Skip, Zero, cell_op
from ...nn.layers import MaxPool
from ...nn.norm import BatchNorm
from ...nn.norm_sum import NormSequential, weighted_norm_sum
from ...utils.errors import UserError
from .space import CellSpace


class MixedOp(nn.HybridSequential):
    """A mixed operation: sum_i w_i op_i(x) over its candidate operations.

    Liu et al. 2019, https://arxiv.org/abs/1806.09055, equation 2. `add` appends candidates. Called with x
    (N,C,H,W) and the softmax weights, as many values as candidates in an array of any shape; gives N,C',H',W'.
    """

    reference_key = "mixed_op"

    def hybrid_forward(self, F: Any, x: mx.nd.NDArray, weights: mx.nd.NDArray) -> mx.nd.NDArray:
        """The weighted sum; "none" is left out, its weight gets a gradient of zero as it would in the sum."""
        layers = list(self._children.values())
        kept = [layer for layer in layers if not isinstance(layer, Zero)]
        weights = F.reshape(weights, shape=(-1,))
        if len(kept) < len(layers):
            weights = _without_zeros(F, weights, layers)
        return weighted_norm_sum(F, kept, x, weights)

    def forward(self, x: mx.nd.NDArray, weights: mx.nd.NDArray) -> mx.nd.NDArray:
        """Calls `hybrid_forward`, since `HybridSequential` takes one input only.

        Args:
            x: (N,C,H,W).
            weights: softmax weights of the candidates.
        """
        return HybridBlock.forward(self, x, weights)


def _without_zeros(F: Any, weights: mx.nd.NDArray, layers: Sequence[HybridBlock]) -> mx.nd.NDArray:
    """The weights of all candidates but "none": a slice for each run of them."""
    parts, first = [], 0
    for is_zero, run in itertools.groupby(layers, lambda layer: isinstance(layer, Zero)):
        end = first + len(list(run))
        if not is_zero:
            parts.append(F.slice_axis(weights, axis=0, begin=first, end=end))
        first = end
    return parts[0] if len(parts) == 1 else F.concat(*parts, dim=0)


class DroppedSkip(Skip):
    """A skip connection with dropout in training (P-DARTS, https://arxiv.org/abs/1904.12760).

    Attributes:
        rate: dropout rate (default 0), set by `drop_path.set_drop_path`.
    """

    rate: float

    def __init__(self) -> None:
        super().__init__()
        self.rate = 0.0

    def hybrid_forward(self, F: Any, x: mx.nd.NDArray) -> mx.nd.NDArray:
        """Any shape -> the same."""
        return F.Dropout(x, p=self.rate) if self.rate else F.identity(x)


def candidate_op(name: str, channels: int, *, stride: int = 1) -> HybridBlock:
    """Builds a candidate operation, whose norms neither scale nor shift; skip connections have dropout.

    Args:
        name: of the operation.
        channels: of input and output.
        stride: 1 (default) or 2.
    """
    if name == "skip_connect" and stride == 1:
        return DroppedSkip()
    return cell_op(name, channels, stride=stride, affine=False)


def candidate_layer(name: str, channels: int, stride: int, size: int, reduction: bool) -> HybridBlock:
    """Builds a candidate of a cell's edge: an operation or an attention.

    Args:
        name: of the operation or attention. Pooling is followed by batch norm, as in DARTS.
        channels: C.
        stride: of the edge.
        size: height of the output, for attentions that need it.
        reduction: the edge reduces height and width: an attention then follows a skip connection with `stride`.
    """
    if name not in CELL_OPS:
        attention = attention_layer(name, channels, size)
        if not reduction:
            return attention
        return _sequence(cell_op("skip_connect", channels, stride=stride, affine=False), attention)
    operation = candidate_op(name, channels, stride=stride)
    if "pool" not in name:
        return operation
    normed = NormSequential(prefix="")
    normed.add(operation, BatchNorm(center=False, scale=False, in_channels=channels))
    return normed


def _sequence(*layers: HybridBlock) -> HybridBlock:
    block = nn.HybridSequential(prefix="")
    block.add(*layers)
    return block


def _mixed_op(prefix: str, names: Sequence[str], *layer_args: Any) -> MixedOp:
    """The mixed operation of `candidate_layer(name, *layer_args)` for each name."""
    mixed = MixedOp(prefix=prefix)
    with mixed.name_scope():
        mixed.add(*(candidate_layer(name, *layer_args) for name in names))
    return mixed


class MixedEdge(HybridBlock):
    """An edge of a search cell: a mixed operation, followed by a second one if the space has second layers.

    Called with x (N,C,H,W) and the softmax weights of the first and, if any, of the second layer.

    Args:
        space: a `CellSpace`.
        channels: C.
        stride: of the edge: 2 from a reduction cell's inputs, otherwise 1.
        size: height of the output.
    """

    reference_key = "mixed_edge"

    def __init__(self, space: CellSpace, channels: int, stride: int, size: int) -> None:
        super().__init__()
        with self.name_scope():
            self.first = _mixed_op("first_", space.first, channels, stride, size, stride != 1)
            self.second = None
            if space.second:
                # as in Att-DARTS's code, attentions among operations have a skip connection here, too
                reduction = stride != 1 and any(name in CELL_OPS for name in space.second)
                self.second = _mixed_op("second_", space.second, channels, 1, size, reduction)

    def hybrid_forward(
        self, F: Any, x: mx.nd.NDArray, first: mx.nd.NDArray, second: mx.nd.NDArray | None = None
    ) -> mx.nd.NDArray:
        """N,C,H,W and the softmax weights of the first and of the second layer -> N,C,H/stride,W/stride."""
        x = self.first(x, first)
        return x if self.second is None else self.second(x, second)


class PartialEdge(HybridBlock):
    """Partial channel connections (PC-DARTS): a `MixedEdge` on 1/parts of the channels, then a channel shuffle.

    Xu et al. 2020, https://arxiv.org/abs/1907.05737. The other channels bypass the mixed operation; with stride 2
    they are max-pooled, here by 3x3.

    Args:
        space, channels, stride, size: as of `MixedEdge`.
        parts: 1/K of the channels go through the mixed operation; K of the paper.

    Raises:
        UserError: if the channels are not a multiple of 2 * parts.
    """

    def __init__(self, space: CellSpace, channels: int, stride: int, size: int, parts: int) -> None:
        super().__init__()
        if channels % (2 * parts):
            raise UserError(
                f"option partial_channels {parts} needs channels in multiples of {2 * parts}, got {channels}"
            )
        self._width, self._parts, self._channels = channels // parts, parts, channels
        with self.name_scope():
            self.edge = MixedEdge(space, self._width, stride, size)
            self.pool = MaxPool(stride) if stride != 1 else None

    def hybrid_forward(self, F: Any, x: mx.nd.NDArray, *weights: mx.nd.NDArray) -> mx.nd.NDArray:
        """N,C,H,W and the softmax weights of the `MixedEdge` -> N,C,H/stride,W/stride."""
        parts = [F.slice_axis(x, axis=1, begin=i * self._width, end=(i + 1) * self._width) for i in range(self._parts)]
        bypassed = [self.pool(part) if self.pool else part for part in parts[1:]]
        shuffled = F.stack(self.edge(parts[0], *weights), *bypassed, axis=2)  # (N,C/parts,parts,H,W)
        return F.reshape(shuffled, shape=(-1, self._channels, 0, 0), reverse=True)
