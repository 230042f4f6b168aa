"""Candidate operations on the edges of searched cells, by name; (N,C,H,W) -> (N,C,H/stride,W/stride), rounded up.

The convolutions are those of `cell_convs.py`. The two scores are those of ANAS: pooled values at every pixel,
from which a gate is made.
"""

from collections.abc import Callable
from typing import Any

from mxnet.gluon import HybridBlock, nn

from ..registry import Registry
from ..utils.errors import UserError
from . import fast
from .cell_convs import Conv7x1, DilConv, FactorizedReduce, ReLUConvBN, SepConv
from .layers import AvgPool, MaxPool
from .tracing import Tensor

#: name -> a function of (channels, stride, affine) that makes the block
CELL_OPS: Registry[Callable[[int, int, bool], HybridBlock]] = Registry("operation")


def cell_op(name: str, channels: int, *, stride: int = 1, affine: bool = True) -> HybridBlock:
    """A new operation.

    Args:
        name: one of `CELL_OPS`.
        channels: of input and output.
        stride: 1 (default) or 2.
        affine: its batch norms scale and shift (default True).

    Returns:
        A block, (N,C,H,W) -> (N,C,H/stride,W/stride).

    Raises:
        UserError: for an unknown name, a score with a stride, or a skip connection of stride 2 and odd channels.
    """
    return CELL_OPS.get(name)(channels, stride, affine)


class Skip(HybridBlock):
    """The identity."""

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """Any shape -> the same."""
        return F.identity(x)


class Zero(HybridBlock):
    """Zeros of the shape that the other operations of this stride give.

    Args:
        stride: 1 (default) or 2.
    """

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self._stride = stride

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """(N,C,H,W) -> (N,C,H/stride,W/stride)."""
        if self._stride == 1:
            return F.zeros_like(x)
        return F.zeros_like(F.Pooling(x, kernel=(1, 1), stride=(self._stride,) * 2, pool_type="avg"))


class ChannelScore(HybridBlock):
    """W [avg(x); max(x)] + b at every pixel: average and maximum over H and W, W a dense layer to C values.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        with self.name_scope():
            self.fc = nn.Conv2D(channels, 1, in_channels=2 * channels)

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """(N,C,H,W) -> (N,C,H,W)."""
        # stack, since mixed precision casts its inputs to one dtype, which it does not for concat
        pooled = F.stack(fast.global_avg(F, x), fast.global_max(F, x), axis=1)  # (N,2,C,1,1)
        return fast.channel_spread(F, x, self.fc(F.reshape(pooled, shape=(0, -1, 1, 1))))


class SpatialScore(HybridBlock):
    """w [max(x); avg(x)] in every channel: maximum and average over C, w a 1x1 convolution to one channel, no bias."""

    def __init__(self) -> None:
        super().__init__()
        with self.name_scope():
            self.conv = nn.Conv2D(1, 1, use_bias=False, in_channels=2)

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """(N,C,H,W) -> (N,C,H,W)."""
        over_channels = [F.squeeze(pooled, axis=1) for pooled in (fast.channel_max(F, x), fast.channel_mean(F, x))]
        return fast.spatial_spread(F, x, self.conv(F.stack(*over_channels, axis=1)))


def _unstrided(make: Callable[[int], HybridBlock]) -> Callable[[int, int, bool], HybridBlock]:
    """A maker that refuses strides."""

    def checked(channels: int, stride: int, affine: bool) -> HybridBlock:
        if stride != 1:
            raise UserError(f"a score keeps the spatial size, got stride {stride}")
        return make(channels)

    return checked


def _depthwise(kind: Callable[..., HybridBlock], size: int) -> Callable[[int, int, bool], HybridBlock]:
    """A maker of depthwise convolutions with this kernel size."""
    return lambda channels, stride, affine: kind(channels, size, stride=stride, affine=affine)


CELL_OPS.register("none")(lambda c, stride, affine: Zero(stride))
CELL_OPS.register("skip_connect")(
    lambda c, stride, affine: Skip() if stride == 1 else FactorizedReduce(c, c, affine=affine)
)
CELL_OPS.register("avg_pool_3x3")(lambda c, stride, affine: AvgPool(stride))
CELL_OPS.register("max_pool_3x3")(lambda c, stride, affine: MaxPool(stride))
CELL_OPS.register("relu_conv_bn_1x1")(lambda c, stride, affine: ReLUConvBN(c, c, stride=stride, affine=affine))
CELL_OPS.register("conv_7x1_1x7")(lambda c, stride, affine: Conv7x1(c, stride=stride, affine=affine))
CELL_OPS.register("channel_score")(_unstrided(ChannelScore))
CELL_OPS.register("spatial_score")(_unstrided(lambda channels: SpatialScore()))
for _kind, _name, _sizes in ((SepConv, "sep", (3, 5, 7)), (DilConv, "dil", (3, 5))):
    for _size in _sizes:
        CELL_OPS.register(f"{_name}_conv_{_size}x{_size}")(_depthwise(_kind, _size))
