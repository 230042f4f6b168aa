"""ResNets of versions 1 and 2 with GluonCV's layers and parameter names, for small images and for ImageNet.

He et al. 2015, https://arxiv.org/abs/1512.03385 and 2016, https://arxiv.org/abs/1603.05027. GluonCV's
`cifar_resnet*`, `resnet*_v1` and `resnet*_v2` files load as they are. As in GluonCV, version 1 for small images has no
ReLU in its stem, and a bottleneck of version 1 for ImageNet has its stride in the first convolution.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from mxnet.gluon import HybridBlock, nn

from ...nn.layers import GlobalAvgPool
from ...utils.checks import positive, positives, rate, switch
from ...utils.errors import UserError
from ..plan import Plan
from ..slots import BlockSlots, strided_size
from .gluon_blocks import BlockV1, BlockV2
from .layers import conv, make_stage, slot_names


class GluonResNet(HybridBlock):
    """A stem, stages, average pooling and a dense layer: N,3,H,W -> N,classes logits.

    Args:
        version: 1 or 2.
        kind: "basic" or "bottleneck".
        blocks: number of blocks in each stage.
        plan: which attention is in which slot.
        classes: number of outputs.
        large: for ImageNet: the stem is a 7x7 convolution to 64 channels and max pooling. False: one 3x3 convolution to
            16 channels.
        input_size: H, for modules that need it.
        drop_rate: dropout probability between the last two convolutions of each block, as in wide ResNets.
        last_gamma: the scale of each block's last norm starts at 0. Version 1 only.
        channels: of the stem and of the output of each stage. None: 16 or, if large, 64, doubled from stage 2 on;
            stages of bottlenecks have 4 times as many.
        early_shortcut: shortcuts with a convolution take the block's first activation, version 2 only. None: if large.
        input_norm: a norm without scale and shift comes first, version 2 only.
        stem_norm: a norm follows the stem's convolution. None: in version 1, or if large.
        end_norm: a norm ends each residual branch, version 2 only (version 1 has it).

    Raises:
        UserError: an option is wrong, or the plan does not fit.
    """

    reference_key = "gluon_resnet"

    def __init__(
        self,
        version: int,
        kind: str,
        blocks: Sequence[int],
        plan: Plan,
        classes: int,
        *,
        large: bool = False,
        input_size: int = 32,
        drop_rate: float = 0.0,
        last_gamma: bool = False,
        channels: Sequence[int] | None = None,
        early_shortcut: bool | None = None,
        input_norm: bool = True,
        stem_norm: bool | None = None,
        end_norm: bool = False,
    ):
        super().__init__()
        positive("input_size", input_size)
        rate("drop_rate", drop_rate)
        if version == 2 and last_gamma:
            raise UserError("last_gamma is for version 1 networks: version 2 blocks end in a convolution")
        plan = plan.bind(blocks, slot_names(kind), head=version == 2)
        if version == 1 and (early_shortcut is not None or end_norm or not input_norm):
            raise UserError("early_shortcut, input_norm and end_norm are for version 2 networks")
        size = strided_size(input_size, 4) if large else input_size
        width, *widths = _channels(kind, channels, 64 if large else 16, len(blocks))
        early = large if early_shortcut is None else switch("early_shortcut", early_shortcut)
        normed = version == 1 or large if stem_norm is None else switch("stem_norm", stem_norm)
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            self._add_stem(version == 2 and switch("input_norm", input_norm), large, width, normed)
            make_block = (
                partial(BlockV1, kind, large, last_gamma)
                if version == 1
                else partial(BlockV2, kind, early, end_norm=switch("end_norm", end_norm))
            )
            for i, count in enumerate(blocks):
                self.features.add(make_stage(make_block, plan, i + 1, count, width, widths[i], size, drop_rate))
                width, size = widths[i], strided_size(size, 2) if i else size
            if version == 2:
                head = BlockSlots(plan, len(blocks) + 1, None, size)
                self.features.add(nn.BatchNorm(in_channels=width), head.act(width, size))
            self.features.add(GlobalAvgPool(), nn.Flatten())
            self.output = nn.Dense(classes, in_units=width)

    def _add_stem(self, input_norm, large, width, normed):
        if input_norm:
            self.features.add(nn.BatchNorm(scale=False, center=False, in_channels=3))
        self.features.add(conv(width, *((7, 2) if large else (3, 1)), 3))
        if normed:
            self.features.add(nn.BatchNorm(in_channels=width))
        if large:
            self.features.add(nn.Activation("relu"), nn.MaxPool2D(3, 2, 1))

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """N,3,H,W -> N,classes."""
        return self.output(self.features(x))


def _channels(kind, channels, stem, stages):
    """Channels of the stem and of the output of each stage."""
    times = 4 if kind == "bottleneck" else 1
    if channels is None:
        return [stem, *(stem * 2**i * times for i in range(stages))]
    found = positives("channels", channels, stages + 1, "stem and stage")
    if any(width % times for width in found[1:]):
        raise UserError(f"channels of bottlenecks must be multiples of 4, got {list(found)}")
    return found
