"""What channel attentions share: the bottleneck MLP, and the softmax across branches of selective kernels."""

import math
from collections.abc import Sequence
from typing import Any

from mxnet.gluon import nn

from . import fast
from .layers import get_activation
from .tracing import Tensor

#: ways to make a whole number of channels of any number, see `rounded_channels`
ROUNDINGS = ("down", "nearest", "up")


def rounded_channels(channels: float, rounding: str) -> int:
    """A number of channels.

    Args:
        channels: the number before rounding.
        rounding: "down": to a whole number. "nearest": to the nearest multiple of 8, the next one if that would take
            more than a tenth away, as in torchvision. "up": to the next multiple of 8, as in GluonCV's MobileNetV3.
    """
    if rounding == "down":
        return int(channels)
    if rounding == "up":
        return 8 * math.ceil(channels / 8)
    near = max(8, int(channels + 4) // 8 * 8)
    return near if near >= 0.9 * channels else near + 8


def hidden_channels(channels: int, reduction: int, narrowest: int = 1) -> int:
    """Width of a bottleneck.

    Args:
        channels: width before it.
        reduction: by which the width is divided, rounded down.
        narrowest: the least width (default 1).

    Returns:
        The number of hidden channels.
    """
    return max(narrowest, int(channels // reduction))


def pointwise_mlp(
    channels: int, hidden: int, *, bias: bool = True, norm: bool = False, activation: str | None = "relu"
) -> nn.HybridSequential:
    """1x1 convolution, activation, 1x1 convolution: (N,C,H,W) -> (N,C,H,W), with H = W = 1 after global pooling.

    Args:
        channels: C, of the input and the output.
        hidden: width between the two convolutions.
        bias: the convolutions have biases (default True).
        norm: a batch norm follows each convolution (default False).
        activation: name of the activation between them (default "relu"); None for none.

    Returns:
        The layers.
    """
    block = nn.HybridSequential(prefix="")
    block.add(nn.Conv2D(hidden, 1, use_bias=bias, in_channels=channels))
    if norm:
        block.add(nn.BatchNorm(in_channels=hidden))
    if activation:
        block.add(get_activation(activation))
    block.add(nn.Conv2D(channels, 1, use_bias=bias, in_channels=hidden))
    if norm:
        block.add(nn.BatchNorm(in_channels=channels))
    return block


def branch_softmax(F: Any, logits: Tensor, branches: int, *, groups: int = 1) -> list[Tensor]:
    """Softmax across the branches of a network.

    Args:
        F: `mx.nd` or `mx.sym`.
        logits: (N,branches*C,1,1), the channels ordered by group, within it by branch; in float32 or wider, see
            `float32_stats.InFloat32`.
        branches: their number.
        groups: of channels (default 1).

    Returns:
        Gates (N,C,1,1), one per branch, that sum to 1.
    """
    grouped = F.reshape(logits, shape=(0, groups, branches, -1))
    gates = F.SliceChannel(F.softmax(grouped, axis=2), num_outputs=branches, axis=2)
    return [F.reshape(gate, shape=(0, -1, 1, 1)) for gate in gates]


def gated_sum(F: Any, maps: Sequence[Tensor], gates: Sequence[Tensor]) -> Tensor:
    """Sum of branches, each times its gate.

    Args:
        F: `mx.nd` or `mx.sym`.
        maps: the branches, (N,C,H,W) each.
        gates: (N,C,1,1) each.

    Returns:
        (N,C,H,W).
    """
    return F.add_n(*[fast.channel_gate(F, x, gate) for x, gate in zip(maps, gates, strict=True)])
