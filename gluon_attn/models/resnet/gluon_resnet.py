"""ResNets of versions 1 and 2 with slots for attention, for small images and for photographs.

He et al. 2015, https://arxiv.org/abs/1512.03385 and 2016, https://arxiv.org/abs/1603.05027. Layers and parameter
names are GluonCV's, so its `cifar_resnet*`, `resnet*_v1` and `resnet*_v2` files load as they are; like there, version 1
for small images has no ReLU in its stem, and a bottleneck of version 1 for photographs its stride in the first layer.
"""

from functools import partial

from mxnet.gluon import HybridBlock, nn

from ...nn.layers import GlobalAvgPool
from ...utils.checks import positive, rate
from ...utils.errors import UserError
from .. import variants
from ..base import MODELS, Model
from ..slots import Site
from .blocks import conv, shrunk, slots, stage
from .gluon_blocks import BlockV1, BlockV2


class GluonResNet(HybridBlock):
    """A stem, stages, average pooling and a dense layer: N,3,H,W -> N,classes logits.

    version: 1 or 2. kind: "basic" or "bottleneck". blocks: blocks of each stage. plan: a `Plan`. classes: number
    of outputs. large: for photographs, 7x7 to 64 maps and a max pooling first; False: one 3x3 to 16 maps. input_size:
    H, told to modules that need it (default 32). drop_rate: dropout between the last two convolutions of each block, as
    in wide ResNets (default 0). last_gamma: version 1 only, each block's last norm starts at 0 (default False).
    """

    def __init__(
        self, version, kind, blocks, plan, classes, *, large=False, input_size=32, drop_rate=0.0, last_gamma=False
    ):
        super().__init__()
        positive("input_size", input_size)
        rate("drop_rate", drop_rate)
        if version == 2 and last_gamma:
            raise UserError("last_gamma is for version 1 networks: version 2 blocks end in a convolution")
        plan = plan.bind(blocks, slots(kind), head=version == 2)
        width, size = (64, shrunk(input_size, 4)) if large else (16, input_size)
        widths = [width * 2**i * (4 if kind == "bottleneck" else 1) for i in range(len(blocks))]
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            self._add_stem(version, large, width)
            make = partial(BlockV1, kind, large, last_gamma) if version == 1 else partial(BlockV2, kind, large)
            for i, count in enumerate(blocks):
                self.features.add(stage(make, plan, i + 1, count, width, widths[i], size, drop_rate))
                width, size = widths[i], shrunk(size, 2) if i else size
            if version == 2:
                head = Site(plan, len(blocks) + 1, None, size, 0.0)
                self.features.add(nn.BatchNorm(in_channels=width), head.act(width, size))
            self.features.add(GlobalAvgPool(), nn.Flatten())
            self.output = nn.Dense(classes, in_units=width)

    def _add_stem(self, version, large, width):
        if version == 2:
            self.features.add(nn.BatchNorm(scale=False, center=False, in_channels=3))
        self.features.add(conv(width, *((7, 2) if large else (3, 1)), 3))
        if version == 1 or large:
            self.features.add(nn.BatchNorm(in_channels=width))
        if large:
            self.features.add(nn.Activation("relu"), nn.MaxPool2D(3, 2, 1))

    def hybrid_forward(self, F, x):
        return self.output(self.features(x))


def _large(version, kind, blocks, plan, classes, *, input_size=224, drop_rate=0.0, last_gamma=False):
    return GluonResNet(
        version, kind, blocks, plan, classes,
        large=True, input_size=input_size, drop_rate=drop_rate, last_gamma=last_gamma,
    )  # fmt: skip


for _depth, _row in variants.RESNET.items():
    for _version in (1, 2):
        _model = Model(partial(_large, _version, *_row), 224, stages=4, head=_version == 2, blocks=_row[1])
        MODELS.register(f"resnet{_depth}_v{_version}")(_model)
