"""RegNets with slots for attention: residual blocks of a grouped 3x3 convolution, without a bottleneck.

Radosavovic et al. 2020, https://arxiv.org/abs/2003.13678. Parameter names are those of the ResNets here, `conv1 bn1
layer1.0.conv1 ... layer1.0.downsample.0 ... fc`. RegNetY has squeeze-and-excitation in the `inner` slot.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from mxnet.gluon import HybridBlock, nn

from ..nn.layers import GlobalAvgPool
from ..utils.checks import positive, positives, rate, switch
from ..utils.errors import UserError
from .plan import Plan
from .slots import BlockSlots, Residual, Stage, strided_size

SLOTS = ("post", "inner", "act", "conv", "stage")
#: channels of the stem
STEM = 32


def _conv(channels, kernel, stride, in_channels, groups=1):
    return nn.Conv2D(
        channels, kernel, stride, kernel // 2, groups=groups, use_bias=False, in_channels=in_channels
    )  # fmt: skip


class RegNetBlock(Residual):
    """1x1, grouped 3x3, 1x1, each with a norm; addition; activation. N,C,H,W -> N,channels,H/stride,W/stride.

    Args:
        group_width: channels of a group of the 3x3 convolution.
        last_gamma: the scale of the last norm starts at 0.
        channels: of all three convolutions.
        stride: of the 3x3 convolution.
        in_channels: C.
        slots: the block's slots.
    """

    reference_key = "regnet_block"

    def __init__(
        self, group_width: int, last_gamma: bool, channels: int, stride: int, in_channels: int, slots: BlockSlots
    ):
        super().__init__()
        size, after = slots.spatial, strided_size(slots.spatial, stride)
        grouped = partial(_conv, channels, 3, stride, channels, channels // group_width)
        with self.name_scope():
            self.conv1, self.bn1 = _conv(channels, 1, 1, in_channels), nn.BatchNorm(in_channels=channels)
            self.relu1 = slots.act(channels, size)
            self.conv2 = slots.conv(channels, size, stride, grouped)
            self.normed = getattr(self.conv2, "normed", False)
            if not self.normed:
                self.bn2, self.relu2 = nn.BatchNorm(in_channels=channels), slots.act(channels, after)
            self.inner = slots.inner(channels, after, in_channels)
            self.conv3 = _conv(channels, 1, 1, channels)
            self.bn3 = nn.BatchNorm(gamma_initializer="zeros" if last_gamma else "ones", in_channels=channels)
            self.post = slots.post(channels, after)
            if channels != in_channels or stride != 1:
                self.downsample = nn.HybridSequential(prefix="down_")
                with self.downsample.name_scope():
                    self.downsample.add(_conv(channels, 1, stride, in_channels), nn.BatchNorm(in_channels=channels))

    def body(self, x: Any) -> Any:
        """The branch without `post`: x (N,C,H,W) -> (N,channels,H/stride,W/stride)."""
        x = self.conv2(self.relu1(self.bn1(self.conv1(x))))
        x = x if self.normed else self.relu2(self.bn2(x))
        return self.bn3(self.conv3(self.inner(x) if self.inner else x))


class RegNet(HybridBlock):
    """A stem of stride 2, four stages of stride 2, average pooling and a dense layer.

    N,3,H,W -> N,classes logits.

    Args:
        plan: which attention is in which slot.
        classes: number of outputs.
        widths: channels of each stage.
        blocks: number of blocks in each stage.
        group_width: channels of a group of the 3x3 convolutions; it divides all widths.
        input_size: H, for modules that need it.
        last_gamma: the scale of each block's last norm starts at 0.
        drop_rate: dropout probability before the dense layer.

    Raises:
        UserError: an option is wrong, or the plan does not fit.
    """

    reference_key = "regnet"

    def __init__(
        self,
        plan: Plan,
        classes: int,
        *,
        widths: Sequence[int],
        blocks: Sequence[int],
        group_width: int,
        input_size: int = 224,
        last_gamma: bool = False,
        drop_rate: float = 0.0,
    ):
        super().__init__()
        blocks = positives("blocks", blocks, None)
        widths = positives("widths", widths, len(blocks))
        wrong = next((width for width in widths if width % positive("group_width", group_width)), None)
        if wrong:
            raise UserError(f"group_width {group_width} does not divide the {wrong} channels of a stage")
        size = strided_size(positive("input_size", input_size), 2)
        plan, gamma = plan.bind(blocks, SLOTS, head=False), switch("last_gamma", last_gamma)
        self._stages, before = len(blocks), STEM
        with self.name_scope():
            self.conv1, self.bn1 = _conv(STEM, 3, 2, 3), nn.BatchNorm(in_channels=STEM)
            self.relu = nn.Activation("relu")
            for number, (width, count) in enumerate(zip(widths, blocks, strict=True), 1):
                stage = Stage(prefix=f"stage{number}_")
                with stage.name_scope():
                    for block in range(count):
                        stride, slots = 1 if block else 2, BlockSlots(plan, number, block, size)
                        stage.add(RegNetBlock(group_width, gamma, width, stride, before, slots))
                        before, size = width, strided_size(size, stride)
                    after = plan.make("stage", number, None, width, size)
                    if after:
                        stage.add(after)
                setattr(self, f"layer{number}", stage)
            self.avgpool, self.flat = GlobalAvgPool(), nn.Flatten()
            self.drop = nn.Dropout(drop_rate) if rate("drop_rate", drop_rate) else None
            self.fc = nn.Dense(classes, in_units=before)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """N,3,H,W -> N,classes."""
        x = self.relu(self.bn1(self.conv1(x)))
        for number in range(1, self._stages + 1):
            x = getattr(self, f"layer{number}")(x)
        x = self.flat(self.avgpool(x))
        return self.fc(self.drop(x) if self.drop else x)
