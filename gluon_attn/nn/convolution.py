"""Grouped, depthwise and 1x1 convolutions that have compiled operators, for training (see `fast.py`)."""

from collections.abc import Callable
from typing import Any

import mxnet as mx
from mxnet.gluon import HybridBlock, nn

from . import fast
from .tracing import Tensor, inference

#: kernel sizes of compiled grouped convolutions
COMPILED_SIZES = (3, 5, 7, 9)
_FEW = 4  # output channels of a group: with more of them oneDNN is faster
_MAX_WEIGHTS = 128**2  # of a 1x1 convolution; for larger ones oneDNN is fast enough to pay for its own layout


def compiled(*layers: HybridBlock) -> bool:
    """Whether compiled operators may replace these layers: they write the gradients of weights and cannot add.

    In inference MXNet's own are faster: norms are folded into convolutions, and oneDNN fuses what follows.
    """
    if not fast.compiled() or inference():
        return False
    return all(p.grad_req != "add" for layer in layers for p in layer._reg_params.values())


def with_bias(
    operator: Callable[..., Tensor], x: Tensor, weight: Tensor, bias: Tensor | None, **options: Any
) -> Tensor:
    """A compiled convolution, with or without a bias.

    Args:
        operator: that computes it.
        x: its input.
        weight: its weights.
        bias: None for none.
        options: of the operator.
    """
    inputs = (x, weight) if bias is None else (x, weight, bias)
    return operator(*inputs, **options, bias=len(inputs) - 2)


def is_small(channels: int, in_channels: int) -> bool:
    """Whether a 1x1 convolution has so few weights that a compiled operator is faster."""
    return channels * in_channels <= _MAX_WEIGHTS


class GroupedConv(nn.Conv2D):
    """Convolution in groups of few channels, padded to keep the size.

    (N,in_channels,H,W) -> (N,channels,H/stride,W/stride), rounded up.

    Args:
        channels: of the output.
        kernel_size: odd.
        in_channels: of the input.
        groups: of channels (default 1).
        stride: default 1.
        dilation: default 1.
        use_bias: default False.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int,
        in_channels: int,
        *,
        groups: int = 1,
        stride: int = 1,
        dilation: int = 1,
        use_bias: bool = False,
    ) -> None:
        self.window = {"kernel": kernel_size, "stride": stride, "dilate": dilation}
        self._parts = {"channels": channels, "groups": groups}
        self._few = channels // groups <= _FEW
        super().__init__(
            channels, kernel_size, stride, kernel_size // 2 * dilation, dilation, groups, use_bias=use_bias,
            in_channels=in_channels,
        )  # fmt: skip

    def hybrid_forward(self, F: Any, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """(N,in_channels,H,W) -> (N,channels,H/stride,W/stride)."""
        if self._few and self.window["kernel"] in COMPILED_SIZES and compiled(self):
            return with_bias(F.gluon_attn_grouped, x, weight, bias, **self.window, **self._parts)
        return super().hybrid_forward(F, x, weight, bias)


class DepthwiseConv(GroupedConv):
    """Depthwise convolution without bias, padded to keep the size.

    (N,C,H,W) -> (N,C,H/stride,W/stride), rounded up.

    Args:
        channels: C.
        kernel_size: odd.
        stride: default 1.
        dilation: default 1.
    """

    def __init__(self, channels: int, kernel_size: int, *, stride: int = 1, dilation: int = 1) -> None:
        super().__init__(channels, kernel_size, channels, groups=channels, stride=stride, dilation=dilation)


class PointwiseConv(nn.Conv2D):
    """1x1 convolution, (N,in_channels,H,W) -> (N,channels,H,W).

    Args:
        channels: of the output.
        in_channels: of the input.
        use_bias: default True.

    Attributes:
        small: whether it has so few weights that a compiled operator is faster.
    """

    def __init__(self, channels: int, in_channels: int, *, use_bias: bool = True) -> None:
        self.channels, self.small = channels, is_small(channels, in_channels)
        super().__init__(channels, 1, use_bias=use_bias, in_channels=in_channels)

    def hybrid_forward(self, F: Any, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """(N,in_channels,H,W) -> (N,channels,H,W)."""
        if self.small and compiled(self):
            return with_bias(F.gluon_attn_pointwise, x, weight, bias, channels=self.channels)
        return super().hybrid_forward(F, x, weight, bias)


class GlobalDepthwiseConv(nn.Conv2D):
    """Depthwise convolution without bias by kernels as large as the feature map, (N,C,H,W) -> (N,C,1,1).

    Args:
        channels: C.
        size: (H, W).
    """

    def __init__(self, channels: int, size: tuple[int, int]) -> None:
        super().__init__(channels, size, groups=channels, use_bias=False, in_channels=channels)

    def hybrid_forward(self, F: Any, x: Tensor, weight: Tensor) -> Tensor:
        """(N,C,H,W) -> (N,C,1,1)."""
        if compiled(self):
            return F.gluon_attn_global_depthwise(x, weight)
        return super().hybrid_forward(F, x, weight)


def separable(F: Any, x: Tensor, depthwise: DepthwiseConv, pointwise: PointwiseConv) -> Tensor:
    """ReLU, depthwise and 1x1 convolution as one compiled operator.

    Args:
        F: `mx.nd` or `mx.sym`.
        x: (N,C,H,W).
        depthwise: of C channels and kernel size 3, 5 or 7.
        pointwise: of C input channels, without bias.

    Returns:
        (N,pointwise.channels,H/stride,W/stride), rounded up.
    """
    window = depthwise.window
    options: dict[str, Any] = {"channels": pointwise.channels, "stride": window["stride"]}
    # a number for each branch: `engine.shared_maps` joins several
    options |= {name: (window[name],) for name in ("kernel", "dilate")}
    return F.gluon_attn_separable(x, *_weights(F, x, depthwise, pointwise), **options)


def halving(F: Any, x: Tensor, first: nn.Conv2D, second: nn.Conv2D) -> Tensor:
    """ReLU and two 1x1 convolutions of stride 2 side by side as one compiled operator.

    Args:
        F: `mx.nd` or `mx.sym`.
        x: (N,C,H,W).
        first: of pixels (0, 0), (0, 2), ...; without bias.
        second: of pixels (1, 1), (1, 3), ..., zeros beyond an odd edge; of as many channels, without bias.

    Returns:
        (N,channels of both,H/2,W/2), rounded up.
    """
    return F.gluon_attn_halving(x, *_weights(F, x, first, second), channels=2 * first._channels)


def _weights(F: Any, x: Tensor, *layers: nn.Conv2D) -> list[Tensor]:
    return [layer.weight.var() if F is mx.sym else layer.weight.data(x.context) for layer in layers]
