"""Residual blocks of versions 1 and 2 with GluonCV's layers and parameter names."""

from typing import Any

from mxnet.gluon import nn

from ..slots import BlockSlots, Residual, strided_size
from .layers import block_conv, conv, conv_shapes


class BlockV1(Residual):
    """Convolution, norm, activation, ...; addition; ReLU. N,C,H,W -> N,channels,H/stride,W/stride.

    The `act` slot holds the activations inside, never the one after the addition.

    Args:
        kind: "basic" or "bottleneck", see `layers.conv_shapes`.
        large: as in the networks for ImageNet: a bottleneck's stride is in its first convolution, and its 1x1
            convolutions have biases.
        last_gamma: the scale of the last norm starts at 0.
        channels: output channels.
        stride: stride of the block.
        in_channels: input channels.
        slots: the block's slots.
    """

    def __init__(
        self,
        kind: str,
        large: bool,
        last_gamma: bool,
        channels: int,
        stride: int,
        in_channels: int,
        slots: BlockSlots,
    ):
        super().__init__(prefix="")
        shapes = conv_shapes(kind, channels, stride, stride_first=large)
        self.body = nn.HybridSequential(prefix="")
        width, size = in_channels, slots.spatial
        for i, (out, kernel, step) in enumerate(shapes):
            after = strided_size(size, step)
            last = i == len(shapes) - 1
            inner = slots.inner(width, size) if last else None
            if inner:
                self.body.add(inner)
            gamma = "zeros" if last and last_gamma else "ones"
            layer = block_conv(slots, i, out, kernel, step, width, size, bias=large and kernel == 1)
            self.body.add(layer)
            if not getattr(layer, "normed", False):
                self.body.add(nn.BatchNorm(gamma_initializer=gamma, in_channels=out))
                if not last:
                    self.body.add(slots.act(out, after, drop=i == len(shapes) - 2))
            width, size = out, after
        self.post = slots.post(channels, size)
        self.downsample = None
        if channels != in_channels or stride != 1:
            self.downsample = nn.HybridSequential(prefix="")
            self.downsample.add(conv(channels, 1, stride, in_channels), nn.BatchNorm(in_channels=channels))


class BlockV2(Residual):
    """Norm, activation, convolution, ...; addition. N,C,H,W -> N,channels,H/stride,W/stride.

    The `act` slot holds every activation.

    Args:
        kind: "basic" or "bottleneck", see `layers.conv_shapes`.
        large: as in the networks for ImageNet: a shortcut with a convolution takes the output of the first activation
            instead of the block's input.
        channels: output channels.
        stride: stride of the block.
        in_channels: input channels.
        slots: the block's slots.
        end_norm: a norm follows the last convolution (default False), as in DIANet's networks.
    """

    reference_key = "gluon_block_v2"

    def __init__(
        self,
        kind: str,
        large: bool,
        channels: int,
        stride: int,
        in_channels: int,
        slots: BlockSlots,
        end_norm: bool = False,
    ):
        super().__init__(prefix="")
        self._large = large
        shapes = conv_shapes(kind, channels, stride)
        self._depth = len(shapes)
        width, size = in_channels, slots.spatial
        for i, (out, kernel, step) in enumerate(shapes, 1):
            setattr(self, f"bn{i}", nn.BatchNorm(in_channels=width))
            setattr(self, f"act{i}", slots.act(width, size, drop=i == self._depth))
            if i == self._depth:
                self.inner = slots.inner(width, size)
            setattr(self, f"conv{i}", block_conv(slots, i - 1, out, kernel, step, width, size))
            width, size = out, strided_size(size, step)
        self.end = nn.BatchNorm(in_channels=channels) if end_norm else None
        self.post = slots.post(channels, size)
        self.downsample = None
        if channels != in_channels or stride != 1:
            self.downsample = conv(channels, 1, stride, in_channels)

    def hybrid_forward(self, F: Any, x: Any, *state: Any) -> Any:
        """Branch and addition: N,C,H,W -> N,channels,H/stride,W/stride."""
        residual = x
        for i in range(1, self._depth + 1):
            x = getattr(self, f"act{i}")(getattr(self, f"bn{i}")(x))
            if i == 1 and self.downsample:
                residual = self.downsample(x if self._large else residual)
            x = self.inner(x) if self.inner and i == self._depth else x
            x = getattr(self, f"conv{i}")(x)
        x, new = self.attend(F, self.end(x) if self.end else x, state)
        return (residual + x, *new) if new else residual + x
