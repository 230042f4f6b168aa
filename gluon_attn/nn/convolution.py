"""Convolutions of a channel, or of a pixel, that have compiled operators: for training, see `fast.py`."""

import functools

import mxnet as mx
from mxnet.gluon import nn

from . import fast

_COMPILED = (3, 5, 7)
_SMALL = 128**2  # weights of a convolution by pixels; oneDNN does larger ones so well that its layout pays


def compiled(*layers):
    """Whether compiled operators may stand for these layers: they write the gradients of weights, and cannot add."""
    return fast.compiled() and all(p.grad_req != "add" for layer in layers for p in layer._reg_params.values())


class DepthwiseConv(nn.Conv2D):
    """A convolution of each channel by itself, no bias: N,C,H,W -> N,C,H/stride,W/stride, rounded up.

    channels: C. kernel_size: odd. stride, dilation: default 1. The map is padded by as much as keeps its size.
    """

    def __init__(self, channels, kernel_size, *, stride=1, dilation=1):
        self.window = {"kernel": kernel_size, "stride": stride, "dilate": dilation}
        super().__init__(
            channels, kernel_size, stride, kernel_size // 2 * dilation, dilation, groups=channels, use_bias=False,
            in_channels=channels,
        )  # fmt: skip

    def hybrid_forward(self, F, x, weight):
        if compiled(self) and self.window["kernel"] in _COMPILED:
            return F.gluon_attn_depthwise(x, weight, **self.window)
        return super().hybrid_forward(F, x, weight)


class PointwiseConv(nn.Conv2D):
    """A convolution of each pixel by itself: N,in_channels,H,W -> N,channels,H,W. use_bias: default True."""

    def __init__(self, channels, in_channels, *, use_bias=True):
        self.channels, self._small = channels, channels * in_channels <= _SMALL
        super().__init__(channels, 1, use_bias=use_bias, in_channels=in_channels)

    def hybrid_forward(self, F, x, weight, bias=None):
        if self._small and compiled(self):
            given = (x, weight) if bias is None else (x, weight, bias)
            return F.gluon_attn_pointwise(*given, channels=self.channels, bias=len(given) - 2)
        return super().hybrid_forward(F, x, weight, bias)


class OneMapConv(nn.Conv2D):
    """A convolution to one map: N,in_channels,H,W -> N,1,H,W, for few channels.

    kernel_size: odd; the map is padded by as much as keeps its size. use_bias: default False.
    """

    def __init__(self, kernel_size, in_channels, *, use_bias=False):
        self._kernel_size, self._in = kernel_size, in_channels
        super().__init__(1, kernel_size, padding=kernel_size // 2, use_bias=use_bias, in_channels=in_channels)

    def hybrid_forward(self, F, x, weight, bias=None):
        if bias is not None or self._kernel_size not in _COMPILED or not compiled(self):
            return super().hybrid_forward(F, x, weight, bias)
        size = self._kernel_size
        weight = F.reshape(weight, shape=(-1, 1, size, size))
        each = F.gluon_attn_depthwise(x, weight, kernel=size, stride=1, dilate=1)
        maps = (F.slice_axis(each, axis=1, begin=i, end=i + 1) for i in range(self._in))
        return functools.reduce(lambda one, other: one + other, maps)


class WholeMapConv(nn.Conv2D):
    """A depthwise convolution by kernels as large as the maps, no bias: N,channels,*size -> N,channels,1,1."""

    def __init__(self, channels, size):
        super().__init__(channels, size, groups=channels, use_bias=False, in_channels=channels)

    def hybrid_forward(self, F, x, weight):
        if compiled(self):
            return F.gluon_attn_whole_maps(x, weight)
        return super().hybrid_forward(F, x, weight)


def separable(F, x, depthwise, pointwise):
    """ReLU and both convolutions as one compiled operator; the second has no bias."""
    weights = (layer.weight.var() if F is mx.sym else layer.weight.data(x.context) for layer in (depthwise, pointwise))
    return F.gluon_attn_separable(x, *weights, channels=pointwise.channels, **depthwise.window)
