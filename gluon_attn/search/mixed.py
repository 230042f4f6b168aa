"""Choices side by side, mixed by weights."""

from mxnet.gluon import HybridBlock, nn

from ..models.cell import attention_layer
from ..nn.cell_ops import CELL_OPS, Zero, cell_op


class Mixture(nn.HybridSequential):
    """sum_i w_i choice_i(x), for w of as many values as there are choices, of any shape."""

    def hybrid_forward(self, F, x, weights):
        """Choices of zeros take no part; their weights then get zero gradients, as they would."""
        layers = list(self._children.values())
        kept = [i for i, layer in enumerate(layers) if not isinstance(layer, Zero)]
        weights = F.reshape(weights, shape=(-1,))
        if len(kept) < len(layers):
            weights = F.concat(*(F.slice_axis(weights, axis=0, begin=i, end=i + 1) for i in kept), dim=0)
        return weighted_sum(F, [layers[i](x) for i in kept], weights)

    def forward(self, x, weights):
        return HybridBlock.forward(self, x, weights)


def weighted_sum(F, maps, weights):
    """sum_i weights_i maps_i for maps of one shape and weights (len(maps),), as one product of matrices.

    The gradient of a broadcast multiplication by one number is many times slower.
    """
    rows = F.reshape(F.stack(*maps, axis=0), shape=(0, -1))
    return F.reshape_like(F.dot(F.reshape(weights, shape=(1, -1)), rows), maps[0])


def searched(name, channels, stride, size, strided):
    """A choice of a mixture. Pools have a norm behind them; nothing scales or shifts, the weights do.

    strided: the edge halves the maps, so that attentions have a skip before them that does it by `stride`.
    """
    if name not in CELL_OPS:
        attention = attention_layer(name, channels, size)
        return _row(cell_op("skip_connect", channels, stride=stride, affine=False), attention) if strided else attention
    operation = cell_op(name, channels, stride=stride, affine=False)
    return (
        _row(operation, nn.BatchNorm(center=False, scale=False, in_channels=channels)) if "pool" in name else operation
    )


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
