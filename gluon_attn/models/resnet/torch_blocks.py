"""Residual blocks with PyTorch's parameter names: `conv1 bn1 conv2 ... downsample.0 downsample.1`."""

from collections.abc import Callable
from typing import Any

from mxnet.gluon import HybridBlock, nn

from ...nn.layers import get_activation
from ..slots import BlockSlots, Residual, strided_size
from .design import Design
from .layers import block_conv, conv, conv_shapes


class PaddedShortcut(HybridBlock):
    """A shortcut without weights: every second pixel, and zero channels on both sides (option A of He et al. 2015).

    N,C,H,W -> N,C+2*added,H/2,W/2.

    Args:
        added: number of zero channels before the input's channels, and as many after them.
    """

    def __init__(self, added: int):
        super().__init__()
        self._added = added

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """N,C,H,W -> N,C+2*added,H/2,W/2."""
        # a pooling over one pixel: F.slice with a step divides by zero on some layouts that a convolution leaves
        x = F.Pooling(x, kernel=(1, 1), stride=(2, 2), pool_type="avg")
        # padded as a depth: a concatenation's gradient divides by zero where activations are attentional
        sides = (0, 0, 0, 0, self._added, self._added, 0, 0, 0, 0)
        return F.squeeze(F.pad(F.expand_dims(x, axis=1), mode="constant", pad_width=sides), axis=1)


class TorchBlock(Residual):
    """Convolution, norm, activation, ...; addition; activation. N,C,H,W -> N,channels,H/stride,W/stride.

    The stride of a bottleneck is in its 3x3 convolution. The `act` slot holds the activations inside, never the one
    after the addition.

    Args:
        design: kind of block, activation, shortcut.
        last_gamma: the scale of the last norm starts at 0.
        channels: output channels.
        stride: stride of the block.
        in_channels: input channels.
        slots: the block's slots.
    """

    def __init__(
        self, design: Design, last_gamma: bool, channels: int, stride: int, in_channels: int, slots: BlockSlots
    ):
        super().__init__()
        shapes, groups = _shapes(design, channels, stride)
        self.design = design
        self._order: list[str] = []
        width, size = in_channels, slots.spatial
        with self.name_scope():
            for i, (out, kernel, step) in enumerate(shapes, 1):
                last = i == len(shapes)
                if last:
                    self._append("inner", slots.inner(width, size))
                layer = block_conv(slots, i - 1, out, kernel, step, width, size, design.bias, groups if i == 2 else 1)
                width, size = out, strided_size(size, step)
                self._append(f"conv{i}", layer)
                if not getattr(layer, "normed", False):
                    gamma = "zeros" if last and last_gamma else "ones"
                    self._append(f"bn{i}", nn.BatchNorm(gamma_initializer=gamma, in_channels=out))
                    if not last:
                        self._append(f"relu{i}", slots.act(out, size, default=design.activation))
            self.post = slots.post(channels, size)
            if design.activation != "relu":
                self.last = get_activation(design.activation)
            if channels != in_channels or stride != 1:
                self.downsample = _shortcut(design, channels, stride, in_channels, slots.stage)

    def _alias(self):
        return "block"  # in Gluon's own parameter names, which convert/gluon_names.py reads

    def _append(self, name, layer):
        if layer is not None:
            setattr(self, name, layer)
            self._order.append(name)

    def append_after_norms(self, name: str, make: Callable[[], HybridBlock]) -> None:
        """Put a layer after each norm, or after what is in place of a convolution and its norm.

        Args:
            name: of the layers, before the number of the convolution.
            make: makes one.
        """
        order, self._order = self._order, []
        for layer in order:
            self._order.append(layer)
            kind, number = layer.rstrip("0123456789"), layer[-1]
            if kind == "bn" or (kind == "conv" and f"bn{number}" not in order):
                self._append(f"{name}{number}", make())

    def body(self, x: Any) -> Any:
        """The residual branch without `post`: x (N,in_channels,H,W) -> (N,channels,H/stride,W/stride)."""
        for name in self._order:
            x = getattr(self, name)(x)
        return x


def _shapes(design, channels, stride):
    """(as of `conv_shapes`, groups of a bottleneck's 3x3)."""
    shapes = conv_shapes(design.kind, channels, stride)
    if design.kind == "basic":
        return shapes, 1
    first, inside, groups = design.inside(channels // 4)
    return [(first, *shapes[0][1:]), (inside, *shapes[1][1:]), shapes[2]], groups


def _shortcut(design, channels, stride, in_channels, stage):
    if design.shortcut == "pad":
        return PaddedShortcut((channels - in_channels) // 2)
    layers = nn.HybridSequential(prefix="down_")
    with layers.name_scope():
        if design.shortcut == "average":
            layers.add(nn.AvgPool2D(stride, stride, ceil_mode=True, count_include_pad=False))
            stride = 1
        kernel = design.shortcut_kernel if stage > 1 else 1
        layers.add(conv(channels, kernel, stride, in_channels, design.bias), nn.BatchNorm(in_channels=channels))
    return layers
