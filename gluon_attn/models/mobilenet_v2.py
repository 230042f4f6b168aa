"""MobileNetV2 with slots for attention.

Sandler et al. 2018, https://arxiv.org/abs/1801.04381. Layers and parameter names are torchvision's, but for those of a
norm's tensors. The `post` slot follows the projection of every block, also of those without a shortcut.
"""

from functools import partial

from mxnet.gluon import HybridBlock, nn

from ..nn.layers import GlobalAvgPool, get_activation
from ..utils.checks import above, positive, rate
from ..utils.errors import UserError
from . import variants
from .base import MODELS, Model
from .resnet.blocks import shrunk
from .slots import Residual, Site, Stage

SLOTS = ("post", "stage")
STEM, LAST = 32, 1280


def _convolution(channels, kernel, stride, in_channels, groups=1):
    """Convolution, norm, ReLU6."""
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


def _scaled(multiplier, channels):
    if channels * multiplier < 1:
        raise UserError(f"multiplier {multiplier} leaves none of {channels} maps; take a greater one")
    return int(channels * multiplier)


class InvertedResidual(Residual):
    """1x1 to `expansion` times the channels, 3x3 at each, 1x1 to `channels`. N,C,H,W -> N,channels,H/stride,W/stride.

    The input is added where the shape stays; no activation follows.
    """

    reference_key = "inverted_residual"

    def __init__(self, expansion, channels, stride, in_channels, site):
        # its name says the stage, since the network holds its blocks in one row
        super().__init__(prefix=f"stage{site.stage}_block{site.block}_")
        hidden = expansion * in_channels
        self._first = site.block == 0
        self._shortcut = stride == 1 and channels == in_channels
        with self.name_scope():
            self.conv = nn.HybridSequential()
            with self.conv.name_scope():
                if expansion != 1:
                    self.conv.add(_convolution(hidden, 1, 1, in_channels))
                self.conv.add(
                    _convolution(hidden, 3, stride, hidden, groups=hidden),
                    nn.Conv2D(channels, 1, use_bias=False, in_channels=hidden),
                    nn.BatchNorm(in_channels=channels),
                )
            self.post = site.post(channels, shrunk(site.spatial, stride))

    def hybrid_forward(self, F, x, *state):
        y, state = self.attend(F, self.conv(x), () if self._first else state)
        y = x + y if self._shortcut else y
        return (y, *state) if state else y


class MobileNetV2(HybridBlock):
    """A stem, seven stages of inverted residuals, a 1x1 convolution, average pooling and a dense layer.

    N,3,H,W -> N,classes logits. plan: a `Plan`. classes: number of outputs. input_size: H, told to modules that need it
    (default 224). drop_rate: dropout before the dense layer (default 0.2, torchvision's). multiplier: of the numbers of
    maps, cut to whole numbers as in GluonCV's networks (default 1); the last convolution's never fall below 1280.
    """

    reference_key = "mobilenet_v2"

    def __init__(self, plan, classes, *, input_size=224, drop_rate=0.2, multiplier=1.0):
        super().__init__()
        scaled = partial(_scaled, above("multiplier", multiplier))
        size = shrunk(positive("input_size", input_size), 2)
        plan = plan.bind([count for _, _, count, _ in variants.MOBILENET_V2], SLOTS, head=False)
        with self.name_scope():
            self.features = Stage(prefix="")
            width, last = scaled(STEM), max(LAST, scaled(LAST))
            self.features.add(_convolution(width, 3, 2, 3))
            for number, (expansion, full, count, first) in enumerate(variants.MOBILENET_V2, 1):
                channels = scaled(full)
                for block in range(count):
                    stride = 1 if block else first
                    site = Site(plan, number, block, size)
                    self.features.add(InvertedResidual(expansion, channels, stride, width, site))
                    width, size = channels, shrunk(size, stride)
                after = plan.make("stage", number, None, channels, size)
                if after:
                    self.features.add(after)
            self.features.add(_convolution(last, 1, 1, width))
            self.pool, self.flat = GlobalAvgPool(), nn.Flatten()
            self.classifier = nn.HybridSequential(prefix="")
            self.classifier.add(nn.Dropout(rate("drop_rate", drop_rate)), nn.Dense(classes, in_units=last))

    def hybrid_forward(self, F, x):
        return self.classifier(self.flat(self.pool(self.features(x))))


MODELS.register("mobilenet_v2")(Model(MobileNetV2, 224, stages=len(variants.MOBILENET_V2)))
