"""Convolutions of searched cells: ReLU first, batch norm last; (N,C,H,W) -> (N,channels,H/stride,W/stride).

Liu et al. 2019, https://arxiv.org/abs/1806.09055
"""

from collections.abc import Sequence
from typing import Any

from mxnet.gluon import HybridBlock, nn

from ..utils.errors import UserError
from . import fast
from .convolution import DepthwiseConv, PointwiseConv, compiled, halving, is_small, separable
from .norm import BatchNorm
from .norm_sum import EndsInNorm, NormSequential
from .tracing import Tensor


def concat_channels(F: Any, maps: Sequence[Tensor], channels: int) -> Tensor:
    """Feature maps of one shape, concatenated along the channels.

    Args:
        F: `mx.nd` or `mx.sym`.
        maps: (N,C,H,W) each.
        channels: of the result, C times the number of maps.

    Returns:
        (N,channels,H,W).
    """
    if fast.plain():
        return F.concat(*maps, dim=1)
    # oneDNN's gradient of concatenated convolutions divides by zero
    return F.reshape(F.stack(*maps, axis=1), shape=(-1, channels, 0, 0), reverse=True)


def _norm(channels: int, affine: bool) -> BatchNorm:
    return BatchNorm(center=affine, scale=affine, in_channels=channels)


class ReLUConvBN(NormSequential):
    """ReLU, convolution without bias, batch norm.

    Args:
        in_channels: of the input.
        channels: of the output.
        kernel_size: default 1.
        stride: default 1.
        affine: the norm scales and shifts (default True).
    """

    reference_key = "relu_conv_bn"

    def __init__(
        self, in_channels: int, channels: int, kernel_size: int = 1, *, stride: int = 1, affine: bool = True
    ) -> None:
        super().__init__()
        with self.name_scope():
            if (kernel_size, stride) == (1, 1):
                convolution = PointwiseConv(channels, in_channels, use_bias=False)
            else:
                convolution = nn.Conv2D(
                    channels, kernel_size, stride, kernel_size // 2, use_bias=False, in_channels=in_channels
                )
            self.add(nn.Activation("relu"), convolution, _norm(channels, affine))


class DepthwiseConvs(NormSequential):
    """ReLU, depthwise convolution, 1x1 convolution and batch norm, once or several times.

    Args:
        channels: of input and output.
        kernel_size: of the depthwise convolutions.
        steps: (stride, dilation) of each of them.
        affine: the norms scale and shift (default True).
    """

    reference_key = "depthwise_convs"

    def __init__(
        self, channels: int, kernel_size: int, steps: Sequence[tuple[int, int]], *, affine: bool = True
    ) -> None:
        super().__init__()
        with self.name_scope():
            for stride, dilation in steps:
                self.add(
                    nn.Activation("relu"),
                    DepthwiseConv(channels, kernel_size, stride=stride, dilation=dilation),
                    PointwiseConv(channels, channels, use_bias=False),
                    _norm(channels, affine),
                )

    def features(self, F: Any, x: Tensor) -> Tensor:
        """All layers but the last norm."""
        layers = list(self._children.values())
        if not compiled(*layers) or not all(layer.small for layer in layers[2::4]):
            return super().features(F, x)
        for first in range(0, len(layers), 4):
            _, depthwise, pointwise, norm = layers[first : first + 4]
            x = separable(F, x, depthwise, pointwise)
            if norm is not layers[-1]:
                x = norm(x)
        return x


class SepConv(DepthwiseConvs):
    """Separable convolution twice, the first one with the stride.

    Args:
        channels: of input and output.
        kernel_size: of the depthwise convolutions.
        stride: default 1.
        affine: the norms scale and shift (default True).
    """

    def __init__(self, channels: int, kernel_size: int, *, stride: int = 1, affine: bool = True) -> None:
        super().__init__(channels, kernel_size, [(stride, 1), (1, 1)], affine=affine)


class DilConv(DepthwiseConvs):
    """Separable convolution once, with dilation 2.

    Args:
        channels, kernel_size, stride, affine: as of `SepConv`.
    """

    def __init__(self, channels: int, kernel_size: int, *, stride: int = 1, affine: bool = True) -> None:
        super().__init__(channels, kernel_size, [(stride, 2)], affine=affine)


class Conv7x1(NormSequential):
    """ReLU, 1x7 convolution, 7x1 convolution, batch norm.

    Args:
        channels: of input and output.
        stride: default 1.
        affine: the norm scales and shifts (default True).
    """

    def __init__(self, channels: int, *, stride: int = 1, affine: bool = True) -> None:
        super().__init__()
        with self.name_scope():
            self.add(
                nn.Activation("relu"),
                nn.Conv2D(channels, (1, 7), (1, stride), (0, 3), use_bias=False, in_channels=channels),
                nn.Conv2D(channels, (7, 1), (stride, 1), (3, 0), use_bias=False, in_channels=channels),
                _norm(channels, affine),
            )


class FactorizedReduce(EndsInNorm, HybridBlock):
    """ReLU, two parallel 1x1 convolutions of stride 2, the second one pixel further down and right, batch norm.

    (N,in_channels,H,W) -> (N,channels,H/2,W/2), rounded up: an odd size is padded by a row or column of zeros.

    Args:
        in_channels: of the input.
        channels: of the output, an even number.
        affine: the norm scales and shifts (default True).

    Raises:
        UserError: for an odd number of channels.
    """

    def __init__(self, in_channels: int, channels: int, *, affine: bool = True) -> None:
        super().__init__()
        if channels % 2:
            raise UserError(f"a factorized reduction needs an even number of channels, got {channels}")
        self._channels = channels
        with self.name_scope():
            self.conv_1 = nn.Conv2D(channels // 2, 1, 2, use_bias=False, in_channels=in_channels)
            # with padding 1 it starts at pixel -1; without its first row and column, at pixel 1
            self.conv_2 = nn.Conv2D(channels // 2, 1, 2, 1, use_bias=False, in_channels=in_channels)
            self.bn = _norm(channels, affine)
        self._small = is_small(channels // 2, in_channels)

    @property
    def last_norm(self) -> BatchNorm:
        """The norm of the concatenated halves."""
        return self.bn

    def features(self, F: Any, x: Tensor) -> Tensor:
        """All layers but the norm."""
        if self._small and compiled(self.conv_1, self.conv_2):
            return halving(F, x, self.conv_1, self.conv_2)
        x = F.relu(x)
        shifted = self.conv_2(x)
        for axis in (2, 3):
            shifted = F.slice_axis(shifted, axis=axis, begin=1, end=None)
        return concat_channels(F, [self.conv_1(x), shifted], self._channels)
