"""ResNets with PyTorch's parameter names; a `Design` has the options by which the published ones differ.

He et al. 2015, https://arxiv.org/abs/1512.03385. Parameters have the names that GluonCV's `resnet*_v1b` and PyTorch
code give them, `conv1 bn1 layer1.0.conv1 ... layer1.0.downsample.0 ... fc`, except that those of a norm are Gluon's. A
plan's modules are `layer1.0.post` and so on.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from mxnet.gluon import HybridBlock, nn

from ...nn.layers import GlobalAvgPool, get_activation
from ...utils.checks import positive, rate, switch
from ..plan import Plan
from ..slots import strided_size
from .design import Design
from .layers import conv, make_stage, slot_names
from .stems import make_stem
from .torch_blocks import TorchBlock


class TorchResNet(HybridBlock):
    """A stem, stages `layer1` on, average pooling and a dense layer: N,3,H,W -> N,classes logits.

    Gradients of the large stem's max pooling by oneDNN are arbitrary if the pass was recorded with
    `train_mode=False`; for gradients in that mode set MXNET_MKLDNN_ENABLED=0.

    Args:
        design: options of the layers.
        blocks: number of blocks in each stage.
        plan: which attention is in which slot.
        classes: number of outputs.
        input_size: H, for modules that need it.
        last_gamma: the scale of each block's last norm starts at 0.
        drop_rate: dropout probability before the dense layer.

    Attributes:
        design: as given.
        blocks: as given, a tuple.

    Raises:
        UserError: an option is wrong, or the plan does not fit.
    """

    reference_key = "resnet"

    def __init__(
        self,
        design: Design,
        blocks: Sequence[int],
        plan: Plan,
        classes: int,
        *,
        input_size: int,
        last_gamma: bool = False,
        drop_rate: float = 0.0,
    ):
        super().__init__()
        size, large = positive("input_size", input_size), design.stem != "small"
        plan = plan.bind(blocks, slot_names(design.kind), head=False)
        make_block = partial(TorchBlock, design, switch("last_gamma", last_gamma))
        whole = 3 if switch("dilated", design.dilated) else len(blocks) + 1  # the first stage that keeps its map
        expansion = 4 if design.kind == "bottleneck" else 1
        self._stages, self._head = len(blocks), design.head
        self.design, self.blocks = design, tuple(blocks)
        with self.name_scope():
            self.conv1, width = make_stem(design)
            self.bn1, self.relu = nn.BatchNorm(in_channels=width), get_activation(design.activation)
            self.maxpool = _pool(design) if large and design.stem_pool else None
            size = strided_size(size, 4) if large else size
            for i, (count, inner) in enumerate(zip(blocks, design.widths, strict=True), 1):
                out = inner * expansion
                setattr(self, f"layer{i}", make_stage(make_block, plan, i, count, width, out, size, strided=i < whole))
                width, size = out, strided_size(size, 2) if 1 < i < whole else size
            self.final, width = _final(design, width)
            self.avgpool, self.flat = GlobalAvgPool(), nn.Flatten()
            self.drop = nn.Dropout(drop_rate) if rate("drop_rate", drop_rate) else None
            setattr(self, design.head, nn.Dense(classes, in_units=width))

    def _alias(self):
        return "resnet"

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """N,3,H,W -> N,classes."""
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.maxpool(x) if self.maxpool else x
        for i in range(1, self._stages + 1):
            x = getattr(self, f"layer{i}")(x)
        x = self.flat(self.avgpool(self.final(x) if self.final else x))
        return getattr(self, self._head)(self.drop(x) if self.drop else x)


def _pool(design):
    return nn.MaxPool2D(3, 2, 1) if switch("stem_pad", design.stem_pad) else nn.MaxPool2D(3, 2, ceil_mode=True)


def _final(design, width):
    """(the layers after the last stage or None, number of channels after them)."""
    if design.final_width is None:
        return None, width
    channels = positive("final_width", design.final_width)
    layers = nn.HybridSequential(prefix="final_")
    with layers.name_scope():
        layers.add(conv(channels, 1, 1, width), nn.BatchNorm(in_channels=channels), get_activation(design.activation))
    return layers, channels
