"""Convolutions of searched cells: first the ReLU, last the normalisation; N,C,H,W -> N,channels,H/stride,W/stride.

Liu et al. 2019, https://arxiv.org/abs/1806.09055.
"""

from mxnet.gluon import HybridBlock, nn

from ..utils.errors import UserError
from . import fast
from .convolution import DepthwiseConv, PointwiseConv, compiled, separable
from .norm import BatchNorm


def joined(F, maps, channels):
    """Maps of equal shape N,C,H,W one behind the other along the channels, of which there are then `channels`."""
    if fast.plain():
        return F.concat(*maps, dim=1)
    # the gradient of a concatenation of convolutions divides by zero in oneDNN
    return F.reshape(F.stack(*maps, axis=1), shape=(-1, channels, 0, 0), reverse=True)


def _norm(channels, affine):
    return BatchNorm(center=affine, scale=affine, in_channels=channels)


class ReLUConvBN(nn.HybridSequential):
    """ReLU, convolution, normalisation."""

    reference_key = "relu_conv_bn"

    def __init__(self, in_channels, channels, kernel_size=1, *, stride=1, affine=True):
        super().__init__()
        with self.name_scope():
            if (kernel_size, stride) == (1, 1):
                convolution = PointwiseConv(channels, in_channels, use_bias=False)
            else:
                convolution = nn.Conv2D(
                    channels, kernel_size, stride, kernel_size // 2, use_bias=False, in_channels=in_channels
                )
            self.add(nn.Activation("relu"), convolution, _norm(channels, affine))


class DepthwiseConvs(nn.HybridSequential):
    """ReLU, depthwise convolution, 1x1 convolution, normalisation; once for each of `steps`, (stride, dilation)."""

    reference_key = "depthwise_convs"

    def __init__(self, channels, kernel_size, steps, *, affine=True):
        super().__init__()
        with self.name_scope():
            for stride, dilation in steps:
                self.add(
                    nn.Activation("relu"),
                    DepthwiseConv(channels, kernel_size, stride=stride, dilation=dilation),
                    PointwiseConv(channels, channels, use_bias=False),
                    _norm(channels, affine),
                )

    def hybrid_forward(self, F, x):
        if not compiled(*self._children.values()):
            return super().hybrid_forward(F, x)
        layers = iter(self._children.values())
        for _, depthwise, pointwise, norm in zip(*[layers] * 4, strict=True):
            x = norm(separable(F, x, depthwise, pointwise))
        return x


class SepConv(DepthwiseConvs):
    """Separable convolution twice, the stride in the first."""

    def __init__(self, channels, kernel_size, *, stride=1, affine=True):
        super().__init__(channels, kernel_size, [(stride, 1), (1, 1)], affine=affine)


class DilConv(DepthwiseConvs):
    """Separable convolution dilated by 2, once."""

    def __init__(self, channels, kernel_size, *, stride=1, affine=True):
        super().__init__(channels, kernel_size, [(stride, 2)], affine=affine)


class Conv7x1(nn.HybridSequential):
    """ReLU, convolution by a row of 7, by a column of 7, normalisation."""

    def __init__(self, channels, *, stride=1, affine=True):
        super().__init__()
        with self.name_scope():
            self.add(
                nn.Activation("relu"),
                nn.Conv2D(channels, (1, 7), (1, stride), (0, 3), use_bias=False, in_channels=channels),
                nn.Conv2D(channels, (7, 1), (stride, 1), (3, 0), use_bias=False, in_channels=channels),
                _norm(channels, affine),
            )


class FactorizedReduce(HybridBlock):
    """ReLU, two 1x1 convolutions of stride 2 side by side, the second one pixel further, normalisation.

    A map of odd size counts as one pixel larger, with zeros there.
    """

    def __init__(self, in_channels, channels, *, affine=True):
        super().__init__()
        if channels % 2:
            raise UserError(f"a factorized reduction needs an even number of channels, got {channels}")
        self._channels = channels
        with self.name_scope():
            self.conv_1 = nn.Conv2D(channels // 2, 1, 2, use_bias=False, in_channels=in_channels)
            # padded by one it starts a pixel before the map; without its first row and column, a pixel inside
            self.conv_2 = nn.Conv2D(channels // 2, 1, 2, 1, use_bias=False, in_channels=in_channels)
            self.bn = _norm(channels, affine)

    def hybrid_forward(self, F, x):
        x = F.relu(x)
        shifted = self.conv_2(x)
        for axis in (2, 3):
            shifted = F.slice_axis(shifted, axis=axis, begin=1, end=None)
        return self.bn(joined(F, [self.conv_1(x), shifted], self._channels))
