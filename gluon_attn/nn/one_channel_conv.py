"""Convolutions to and from one channel that have compiled operators, for training (see `convolution.py`)."""

import functools
from typing import Any

import mxnet as mx
from mxnet.gluon import nn

from .convolution import COMPILED_SIZES, compiled
from .tracing import Tensor


class OneChannelConv(nn.Conv2D):
    """Convolution of few channels to one, padded to keep the size: (N,in_channels,H,W) -> (N,1,H,W).

    Args:
        kernel_size: odd.
        in_channels: of the input.
        use_bias: default False.
    """

    def __init__(self, kernel_size: int, in_channels: int, *, use_bias: bool = False) -> None:
        self._kernel_size, self._in = kernel_size, in_channels
        super().__init__(1, kernel_size, padding=kernel_size // 2, use_bias=use_bias, in_channels=in_channels)

    def hybrid_forward(self, F: Any, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """(N,in_channels,H,W) -> (N,1,H,W)."""
        if bias is not None or self._kernel_size not in COMPILED_SIZES or not compiled(self):
            return super().hybrid_forward(F, x, weight, bias)
        size = self._kernel_size
        weight = F.reshape(weight, shape=(-1, 1, size, size))
        depthwise = F.gluon_attn_depthwise(x, weight, kernel=size, stride=1, dilate=1)
        channels = (F.slice_axis(depthwise, axis=1, begin=i, end=i + 1) for i in range(self._in))
        return functools.reduce(lambda one, other: one + other, channels)


class OneToManyConv(nn.Conv2D):
    """Convolution of one channel to many, padded to keep the size: (N,1,H,W) -> (N,channels,H,W).

    Args:
        channels: of the output.
        kernel_size: odd.
        use_bias: default False.
        weight_initializer: default None: that of the network.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int,
        *,
        use_bias: bool = False,
        weight_initializer: mx.init.Initializer | None = None,
    ) -> None:
        self._sizes = {"channels": channels, "kernel": kernel_size}
        super().__init__(
            channels, kernel_size, padding=kernel_size // 2, use_bias=use_bias, in_channels=1,
            weight_initializer=weight_initializer,
        )  # fmt: skip

    def hybrid_forward(self, F: Any, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """(N,1,H,W) -> (N,channels,H,W)."""
        if not compiled(self):
            return super().hybrid_forward(F, x, weight, bias)
        inputs = (x, weight) if bias is None else (x, weight, bias)
        return F.gluon_attn_one_to_many(*inputs, **self._sizes, bias=len(inputs) - 2)
