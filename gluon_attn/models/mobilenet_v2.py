"""MobileNetV2 with slots for attention.

Sandler et al. 2018, https://arxiv.org/abs/1801.04381. Layers and parameter names are torchvision's, except those of a
norm's tensors. The `post` slot follows the projection of every block, also of those without a shortcut.
"""

from functools import partial
from typing import Any

from mxnet.gluon import HybridBlock, nn

from ..nn.channel_attention import ROUNDINGS
from ..nn.layers import GlobalAvgPool, get_activation
from ..utils.checks import above, choice, positive, rate
from . import variants
from .plan import Plan
from .slots import BlockSlots, Residual, Stage, scaled_channels, strided_size

SLOTS = ("post", "stage")
#: channels of the first and the last convolution
STEM, LAST = 32, 1280


def _conv_norm_relu6(channels, kernel, stride, in_channels, groups=1):
    layers = nn.HybridSequential()
    with layers.name_scope():
        layers.add(
            nn.Conv2D(
                channels, kernel, stride, kernel // 2, groups=groups, use_bias=False, in_channels=in_channels
            ),
            nn.BatchNorm(in_channels=channels),
            get_activation("relu6"),
        )  # fmt: skip
    return layers


class InvertedResidual(Residual):
    """1x1 to `expansion` times the channels, depthwise 3x3, 1x1 to `channels`; the input is added if the shape stays.

    N,C,H,W -> N,channels,H/stride,W/stride. No activation follows.

    Args:
        expansion: hidden channels / input channels.
        channels: output channels.
        stride: stride of the 3x3.
        in_channels: input channels.
        slots: the block's slots.
    """

    reference_key = "inverted_residual"
    drop_path_to_last = False

    def __init__(self, expansion: int, channels: int, stride: int, in_channels: int, slots: BlockSlots):
        # the prefix names the stage, since the network holds the blocks of all stages in one row
        super().__init__(prefix=f"stage{slots.stage}_block{slots.block}_")
        hidden = expansion * in_channels
        self._first = slots.block == 0
        self.added = stride == 1 and channels == in_channels
        with self.name_scope():
            self.conv = nn.HybridSequential()
            with self.conv.name_scope():
                if expansion != 1:
                    self.conv.add(_conv_norm_relu6(hidden, 1, 1, in_channels))
                self.conv.add(
                    _conv_norm_relu6(hidden, 3, stride, hidden, groups=hidden),
                    nn.Conv2D(channels, 1, use_bias=False, in_channels=hidden),
                    nn.BatchNorm(in_channels=channels),
                )
            self.post = slots.post(channels, strided_size(slots.spatial, stride))

    def hybrid_forward(self, F: Any, x: Any, *state: Any) -> Any:
        """N,C,H,W -> N,channels,H/stride,W/stride."""
        y, new = self.attend(F, self.conv(x), () if self._first else state)
        y = x + y if self.added else y
        return (y, *new) if new else y


class MobileNetV2(HybridBlock):
    """A stem, seven stages of inverted residuals, a 1x1 convolution, average pooling and a dense layer.

    N,3,H,W -> N,classes logits.

    Args:
        plan: which attention is in which slot.
        classes: number of outputs.
        input_size: H, for modules that need it.
        drop_rate: dropout probability before the dense layer; the default is torchvision's.
        multiplier: factor of all numbers of channels; the last convolution keeps at least 1280 channels.
        rounding: of those numbers, as of `nn.channel_attention.rounded_channels`: "down" as in GluonCV (default), or
            "nearest" as in torchvision.

    Raises:
        UserError: an option is wrong, or the plan does not fit.
    """

    reference_key = "mobilenet_v2"

    def __init__(
        self,
        plan: Plan,
        classes: int,
        *,
        input_size: int = 224,
        drop_rate: float = 0.2,
        multiplier: float = 1.0,
        rounding: str = "down",
    ):
        super().__init__()
        scaled = partial(scaled_channels, above("multiplier", multiplier), choice("rounding", rounding, ROUNDINGS))
        size = strided_size(positive("input_size", input_size), 2)
        plan = plan.bind([count for _, _, count, _ in variants.MOBILENET_V2], SLOTS, head=False)
        with self.name_scope():
            self.features = Stage(prefix="")
            width, last = scaled(STEM), max(LAST, scaled(LAST))
            self.features.add(_conv_norm_relu6(width, 3, 2, 3))
            for number, (expansion, full, count, first) in enumerate(variants.MOBILENET_V2, 1):
                channels = scaled(full)
                for block in range(count):
                    stride = 1 if block else first
                    slots = BlockSlots(plan, number, block, size)
                    self.features.add(InvertedResidual(expansion, channels, stride, width, slots))
                    width, size = channels, strided_size(size, stride)
                after = plan.make("stage", number, None, channels, size)
                if after:
                    self.features.add(after)
            self.features.add(_conv_norm_relu6(last, 1, 1, width))
            self.pool, self.flat = GlobalAvgPool(), nn.Flatten()
            self.classifier = nn.HybridSequential(prefix="")
            self.classifier.add(nn.Dropout(rate("drop_rate", drop_rate)), nn.Dense(classes, in_units=last))

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """N,3,H,W -> N,classes."""
        return self.classifier(self.flat(self.pool(self.features(x))))
