"""Choices side by side, mixed by weights."""

from mxnet.gluon import HybridBlock, nn

from ...models.cell import attention_layer
from ...nn.cell_ops import CELL_OPS, Skip, Zero, cell_op
from ...nn.layers import MaxPool
from ...nn.norm import BatchNorm
from ...nn.norm_sum import NormSequential, weighted_norm_sum
from ...utils.errors import UserError


class Mixture(nn.HybridSequential):
    """sum_i w_i choice_i(x), for w of as many values as there are choices, of any shape."""

    reference_key = "mixed_op"

    def hybrid_forward(self, F, x, weights):
        """Choices of zeros take no part; their weights then get zero gradients, as they would."""
        layers = list(self._children.values())
        kept = [i for i, layer in enumerate(layers) if not isinstance(layer, Zero)]
        weights = F.reshape(weights, shape=(-1,))
        if len(kept) < len(layers):
            weights = F.concat(*(F.slice_axis(weights, axis=0, begin=i, end=i + 1) for i in kept), dim=0)
        return weighted_norm_sum(F, [layers[i] for i in kept], x, weights)

    def forward(self, x, weights):
        return HybridBlock.forward(self, x, weights)


class DroppedSkip(Skip):
    """The input; in training zeros for a random part `rate` of its values, the others scaled, as P-DARTS has it."""

    def __init__(self):
        super().__init__()
        self.rate = 0.0

    def hybrid_forward(self, F, x):
        return F.Dropout(x, p=self.rate) if self.rate else F.identity(x)


def droppable(name, channels, *, stride=1):
    """An operation that neither scales nor shifts; a skip connection is one that `drop_path.set_drop_path` drops."""
    return (
        DroppedSkip()
        if name == "skip_connect" and stride == 1
        else cell_op(name, channels, stride=stride, affine=False)
    )


def searched(name, channels, stride, size, strided):
    """A choice of a mixture. Pools have a norm behind them; nothing scales or shifts, the weights do.

    strided: the edge halves the maps, so that attentions have a skip before them that does it by `stride`.
    """
    if name not in CELL_OPS:
        attention = attention_layer(name, channels, size)
        return _row(cell_op("skip_connect", channels, stride=stride, affine=False), attention) if strided else attention
    operation = droppable(name, channels, stride=stride)
    if "pool" not in name:
        return operation
    normed = NormSequential(prefix="")
    normed.add(operation, BatchNorm(center=False, scale=False, in_channels=channels))
    return normed


def _row(*layers):
    both = nn.HybridSequential(prefix="")
    both.add(*layers)
    return both


def _mixture(prefix, names, *place):
    mixture = Mixture(prefix=prefix)
    with mixture.name_scope():
        mixture.add(*(searched(name, *place) for name in names))
    return mixture


class MixedEdge(HybridBlock):
    """An edge of a cell in search: a mixture of first layers, then one of second layers where the space has them.

    space: a `CellSpace`. channels, stride: of the edge. size: H behind it.
    """

    reference_key = "mixed_edge"

    def __init__(self, space, channels, stride, size):
        super().__init__()
        with self.name_scope():
            self.first = _mixture("first_", space.first, channels, stride, size, stride != 1)
            self.second = None
            if space.second:
                # as in Att-DARTS an attention beside operations has a skip here too
                strided = stride != 1 and any(name in CELL_OPS for name in space.second)
                self.second = _mixture("second_", space.second, channels, 1, size, strided)

    def hybrid_forward(self, F, x, first, second=None):
        x = self.first(x, first)
        return x if self.second is None else self.second(x, second)


class PartialEdge(HybridBlock):
    """A `MixedEdge` for one channel in `parts`; the others pass by, and all are shuffled, as in PC-DARTS.

    Xu et al. 2020, https://arxiv.org/abs/1907.05737. Where the edge halves maps, what passes by is pooled by maxima,
    here of 3x3 pixels.
    """

    def __init__(self, space, channels, stride, size, parts):
        super().__init__()
        if channels % (2 * parts):
            raise UserError(
                f"--partial-channels {parts} needs channels in multiples of {2 * parts}, here are {channels}"
            )
        self._width, self._parts, self._channels = channels // parts, parts, channels
        with self.name_scope():
            self.edge = MixedEdge(space, self._width, stride, size)
            self.pool = MaxPool(stride) if stride != 1 else None

    def hybrid_forward(self, F, x, *weights):
        parts = [F.slice_axis(x, axis=1, begin=i * self._width, end=(i + 1) * self._width) for i in range(self._parts)]
        rest = [self.pool(part) if self.pool else part for part in parts[1:]]
        turned = F.stack(self.edge(parts[0], *weights), *rest, axis=2)  # (N,C/parts,parts,H,W)
        return F.reshape(turned, shape=(-1, self._channels, 0, 0), reverse=True)
