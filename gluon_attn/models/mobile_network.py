"""A network of inverted residual blocks with slots for attention; `mobile.py` makes the published ones of it.

Parameter names are timm's EfficientNet's: `conv_stem bn1 blocks.0.0.conv_dw ... conv_head bn2 classifier`, and `hidden`
for MobileNetV3's first dense layer.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from mxnet.gluon import HybridBlock, nn

from ..nn.layers import GlobalAvgPool, get_activation
from ..utils.checks import above, positive, rate
from .inverted import SLOTS, InvertedBlock, InvertedRow
from .plan import Plan
from .slots import BlockSlots, Stage, strided_size


class MobileNetwork(HybridBlock):
    """A stem of stride 2, stages of inverted residual blocks, a 1x1 convolution, average pooling and a dense layer.

    N,3,H,W -> N,classes logits.

    Args:
        stages: the blocks of each stage.
        stem: channels of the stem.
        head: channels of the last convolution.
        activation: of the stem and the head.
        plan: which attention is in which slot.
        classes: number of outputs.
        hidden: width of a dense layer before the classifier; None for none.
        hidden_bias: that layer has a bias.
        input_size: H, for modules that need it.
        drop_rate: dropout probability before the classifier.
        epsilon: of the norms.
        momentum: of the norms' statistics, in Gluon's sense.

    Raises:
        UserError: an option is wrong, or the plan does not fit.
    """

    reference_key = "mobile_network"

    def __init__(
        self,
        stages: Sequence[Sequence[InvertedRow]],
        stem: int,
        head: int,
        activation: str,
        plan: Plan,
        classes: int,
        *,
        hidden: int | None = None,
        hidden_bias: bool = True,
        input_size: int,
        drop_rate: float,
        epsilon: float,
        momentum: float = 0.9,
    ):
        super().__init__()
        size = strided_size(positive("input_size", input_size), 2)
        plan = plan.bind([len(rows) for rows in stages], SLOTS, head=False)
        norm = partial(_norm, above("epsilon", epsilon), momentum)
        with self.name_scope():
            self.conv_stem = nn.Conv2D(stem, 3, 2, 1, use_bias=False, in_channels=3)
            self.bn1, self.act1 = norm(stem), get_activation(activation)
            self.blocks, width = nn.HybridSequential(prefix=""), stem
            for number, rows in enumerate(stages, 1):
                stage, size = _stage(rows, norm, plan, number, width, size)
                width = rows[-1].channels
                self.blocks.add(stage)
            self.conv_head = nn.Conv2D(head, 1, use_bias=False, in_channels=width)
            self.bn2, self.act2 = norm(head), get_activation(activation)
            self.pool, self.flat, width = GlobalAvgPool(), nn.Flatten(), head
            self.hidden = None
            if hidden:
                self.hidden = nn.Dense(hidden, use_bias=hidden_bias, in_units=head)
                self.act3, width = get_activation(activation), hidden
            self.drop = nn.Dropout(rate("drop_rate", drop_rate))
            self.classifier = nn.Dense(classes, in_units=width)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """N,3,H,W -> N,classes."""
        x = self.blocks(self.act1(self.bn1(self.conv_stem(x))))
        x = self.flat(self.pool(self.act2(self.bn2(self.conv_head(x)))))
        x = self.act3(self.hidden(x)) if self.hidden else x
        return self.classifier(self.drop(x))


def _norm(epsilon, momentum, channels):
    return nn.BatchNorm(epsilon=epsilon, momentum=momentum, in_channels=channels)


def _stage(rows, norm, plan, number, width, size):
    """(the blocks of a stage and the module of its `stage` slot, height after it)."""
    blocks = Stage(prefix=f"stage{number}_")
    with blocks.name_scope():
        for i, row in enumerate(rows):
            blocks.add(InvertedBlock(row, norm, width, BlockSlots(plan, number, i, size)))
            width, size = row.channels, strided_size(size, row.stride)
        after = plan.make("stage", number, None, width, size)
        if after:
            blocks.add(after)
    return blocks, size
