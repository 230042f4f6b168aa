"""The feature pyramid with the head of the region proposals: one graph from the image to the proposals' scores.

Lin et al. 2017, https://arxiv.org/abs/1612.03144; Ren et al. 2015, https://arxiv.org/abs/1506.01497. Parameters have
torchvision's order and nearly its names.
"""

from math import gcd
from typing import Any

import mxnet as mx
from mxnet.gluon import HybridBlock, nn

from ...nn.norm import BatchNorm, GroupNorm
from ...utils.checks import choice
from ..norms import GROUPS, NORMS
from .backbone import Features

#: of the levels P2 to P6, pixels of the image per pixel of the map
STRIDES = (4, 8, 16, 32, 64)
_SMALL = mx.init.Normal(0.01)


def convolution(
    channels: int, size: int, in_channels: int, norm: str, init: mx.init.Initializer, activation: str | None = None
) -> HybridBlock:
    """A convolution that keeps height and width.

    Args:
        channels, in_channels: of its output and input.
        size: of the kernel.
        norm: "none", "batch" or "group"; with a norm it has no bias, as in MMDetection's `norm_cfg`.
        init: of its weight.
        activation: what follows (default: nothing).
    """
    options = {"padding": size // 2, "in_channels": in_channels, "weight_initializer": init}
    if choice("head_norm", norm, ("none", *NORMS)) == "none":
        return nn.Conv2D(channels, size, activation=activation, **options)
    block = nn.HybridSequential()
    groups = gcd(GROUPS, channels)
    block.add(
        nn.Conv2D(channels, size, use_bias=False, **options),
        BatchNorm(in_channels=channels) if norm == "batch" else GroupNorm(channels, groups),
    )
    if activation:
        block.add(nn.Activation(activation))
    return block


class FeaturePyramid(HybridBlock):
    """C2 to C5 -> P2 to P6: 1x1 convolutions, sums from the top down, 3x3 convolutions; P6 is every second pixel of P5.

    Args:
        in_channels: of C2 to C5.
        channels: of the outputs.
        norm: after each convolution, see `convolution`.
    """

    def __init__(self, in_channels: list[int], channels: int, norm: str) -> None:
        super().__init__()
        with self.name_scope():
            self.inner_blocks, self.layer_blocks = nn.HybridSequential(), nn.HybridSequential()
            for count in in_channels:
                init = mx.init.Xavier(factor_type="in", magnitude=1)  # Kaiming's uniform one with a = 1
                self.inner_blocks.add(convolution(channels, 1, count, norm, init))
                self.layer_blocks.add(convolution(channels, 3, channels, norm, init))

    def hybrid_forward(self, F: Any, *features: Any) -> list:
        """C2 to C5 -> [P2, P3, P4, P5, P6]; the pass ends with P6."""
        inner = [layer(x) for layer, x in zip(self.inner_blocks, features, strict=True)]
        for i in reversed(range(len(inner) - 1)):
            above = F.UpSampling(inner[i + 1], scale=2, sample_type="nearest", num_args=1)
            inner[i] = inner[i] + F.slice_like(above, inner[i], axes=(2, 3))
        found = [layer(x) for layer, x in zip(self.layer_blocks, inner, strict=True)]
        return [*found, F.slice(found[-1], begin=(None, None, 0, 0), end=(None,) * 4, step=(None, None, 2, 2))]


class ProposalHead(HybridBlock):
    """A 3x3 convolution and two 1x1 ones on each level: how likely each anchor is an object, and where its box is.

    Args:
        channels: of the pyramid.
        anchors: per place.
    """

    def __init__(self, channels: int, anchors: int) -> None:
        super().__init__()
        with self.name_scope():
            self.conv = nn.Conv2D(channels, 3, padding=1, in_channels=channels, weight_initializer=_SMALL)
            self.cls_logits = nn.Conv2D(anchors, 1, in_channels=channels, weight_initializer=_SMALL)
            self.bbox_pred = nn.Conv2D(4 * anchors, 1, in_channels=channels, weight_initializer=_SMALL)

    def hybrid_forward(self, F: Any, x: Any) -> tuple:
        """(B,C,h,w) -> logits (B,h*w*anchors) and deltas (B,h*w*anchors,4), in the order of rows, columns, anchors."""
        x = F.relu(self.conv(x))
        logits = F.transpose(self.cls_logits(x), axes=(0, 2, 3, 1))
        deltas = F.transpose(self.bbox_pred(x), axes=(0, 2, 3, 1))
        return F.Flatten(logits), F.reshape(deltas, shape=(0, -1, 4))


class PyramidGraph(HybridBlock):
    """Backbone, pyramid and proposals in one graph.

    Args:
        backbone: gives C2 to C5.
        channels: of the pyramid.
        anchors: per place.
        norm: of the pyramid, see `convolution`.
    """

    def __init__(self, backbone: Features, channels: int, anchors: int, norm: str) -> None:
        super().__init__()
        with self.name_scope():
            self.backbone = backbone
            self.fpn, self.rpn = FeaturePyramid(backbone.channels, channels, norm), ProposalHead(channels, anchors)

    def hybrid_forward(self, F: Any, x: Any) -> tuple:
        """(B,3,H,W) -> P2 to P5, then logits and deltas of all anchors of P2 to P6, see `ProposalHead`."""
        maps = self.fpn(*self.backbone(x))
        logits, deltas = zip(*map(self.rpn, maps), strict=True)
        return (*maps[:-1], F.concat(*logits, dim=1), F.concat(*deltas, dim=1))
