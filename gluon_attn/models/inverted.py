"""Inverted residual blocks of MobileNetV3, EfficientNet and MixNet.

Parameter names are timm's, `conv_pw bn1 conv_dw bn2 conv_pwl bn3`, except that those of a norm are Gluon's. The `inner`
slot, where these networks have squeeze-and-excitation, follows the depthwise convolution; the `post` slot follows the
last norm of every block, also of those without a shortcut.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mxnet.gluon import HybridBlock, nn

from ..nn.convolution import DepthwiseConv
from ..nn.layers import get_activation
from .slots import BlockSlots, Residual, strided_size

SLOTS = ("post", "inner", "stage")


@dataclass(frozen=True)
class InvertedRow:
    """One block.

    Attributes:
        kernels: size of the depthwise kernels; with several, each has an equal part of the channels.
        hidden: channels of the depthwise convolution; where they are those of the input, no convolution expands.
        channels: output channels.
        stride: of the depthwise convolution.
        activation: name of the activation.
        expand: parts that the first 1x1 convolution falls into.
        project: parts that the last 1x1 convolution falls into.
    """

    kernels: tuple[int, ...]
    hidden: int
    channels: int
    stride: int
    activation: str
    expand: int = 1
    project: int = 1


class MixedConv(HybridBlock):
    """Convolutions of different kernels, each of a part of the channels: N,C,H,W -> N,channels,H/stride,W/stride.

    Tan & Le 2019, https://arxiv.org/abs/1907.09595. The parts are equal; the first has what is left over.

    Args:
        kernels: one size for each part.
        channels: output channels.
        stride: of all.
        in_channels: C.
        depthwise: each channel has a convolution of its own.
    """

    def __init__(self, kernels: Sequence[int], channels: int, stride: int, in_channels: int, depthwise: bool):
        super().__init__()
        parts, outs = _parts(in_channels, len(kernels)), _parts(channels, len(kernels))
        ends = [sum(parts[: i + 1]) for i in range(len(parts))]
        self._spans = [(end - part, end) for part, end in zip(parts, ends, strict=True)]
        with self.name_scope():
            for i, (kernel, part, out) in enumerate(zip(kernels, parts, outs, strict=True)):
                self.register_child(_one_conv(kernel, out, stride, part, depthwise), str(i))

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """N,C,H,W -> N,channels,H/stride,W/stride."""
        spans = zip(self._children.values(), self._spans, strict=True)
        maps = [conv(F.slice_axis(x, axis=1, begin=start, end=end)) for conv, (start, end) in spans]
        # as of five axes: the gradient of oneDNN's concatenation fails on some layouts that a convolution leaves
        return F.squeeze(F.concat(*[F.expand_dims(y, axis=1) for y in maps], dim=2), axis=1)


class InvertedBlock(Residual):
    """1x1 to the hidden channels, depthwise convolution, 1x1 back; the input is added if the shape stays.

    N,C,H,W -> N,channels,H/stride,W/stride. No activation follows.

    Args:
        row: sizes of the block.
        norm: `norm(channels)` makes a norm.
        in_channels: C.
        slots: the block's slots.

    Attributes:
        expands: whether there is a first 1x1 convolution.
    """

    reference_key = "inverted_block"
    drop_path_to_last = False

    def __init__(self, row: InvertedRow, norm: Callable[[int], HybridBlock], in_channels: int, slots: BlockSlots):
        super().__init__()
        self.added = row.stride == 1 and row.channels == in_channels
        self.expands = row.hidden != in_channels
        size = strided_size(slots.spatial, row.stride)
        with self.name_scope():
            if self.expands:
                self.conv_pw = _conv((1,) * row.expand, row.hidden, 1, in_channels)
                self.bn1, self.act1 = norm(row.hidden), get_activation(row.activation)
            self.conv_dw = _conv(row.kernels, row.hidden, row.stride, row.hidden, depthwise=True)
            self.bn2, self.act2 = norm(row.hidden), get_activation(row.activation)
            self.inner = slots.inner(row.hidden, size, in_channels)
            self.conv_pwl = _conv((1,) * row.project, row.channels, 1, row.hidden)
            self.bn3 = norm(row.channels)
            self.post = slots.post(row.channels, size)

    def body(self, x: Any) -> Any:
        """The branch without `post`: x (N,C,H,W) -> (N,channels,H/stride,W/stride)."""
        x = self.act1(self.bn1(self.conv_pw(x))) if self.expands else x
        x = self.act2(self.bn2(self.conv_dw(x)))
        return self.bn3(self.conv_pwl(self.inner(x) if self.inner else x))

    def hybrid_forward(self, F: Any, x: Any, *state: Any) -> Any:
        """N,C,H,W -> N,channels,H/stride,W/stride."""
        y, new = self.attend(F, self.body(x), state)
        y = x + y if self.added else y
        return (y, *new) if new else y


def _parts(channels, count):
    """Equal parts of the channels; the first has what is left over."""
    part = channels // count
    return [channels - part * (count - 1)] + [part] * (count - 1)


def _conv(kernels, channels, stride, in_channels, depthwise=False):
    """A convolution with "same" padding, or several side by side."""
    if len(kernels) > 1:
        return MixedConv(kernels, channels, stride, in_channels, depthwise)
    return _one_conv(kernels[0], channels, stride, in_channels, depthwise)


def _one_conv(kernel, channels, stride, in_channels, depthwise):
    # there oneDNN's gradients are one matrix product per channel, or convolutions in blocks of 8 or none
    if depthwise and (kernel > 3 or in_channels % 16):
        return DepthwiseConv(channels, kernel, stride=stride)
    groups = in_channels if depthwise else 1
    return nn.Conv2D(channels, kernel, stride, kernel // 2, groups=groups, use_bias=False, in_channels=in_channels)
