"""CIFAR ResNets, versions 1 and 2, with slots for attention.

He et al. 2015, https://arxiv.org/abs/1512.03385 and 2016, https://arxiv.org/abs/1603.05027. Layers and parameter
names are GluonCV's, so its `cifar_resnet*` files load as they are; like there, version 1 has no ReLU in its stem.
"""

from functools import partial

from mxnet.gluon import HybridBlock, nn

from ..attention.base import positive, rate
from ..nn.pool import GlobalAvgPool
from ..utils.errors import UserError
from . import variants
from .atac import act_entry
from .base import MODELS, Model
from .blocks import conv, convolution, convolutions, shrunk, slots, stage
from .plan import Plan
from .site import Residual, Site


class BlockV1(Residual):
    """Convolution, norm, activation ...; addition; ReLU. N,C,H,W -> N,channels,H/stride,W/stride.

    kind: "basic" (two 3x3) or "bottleneck" (1x1, 3x3, 1x1 with four times fewer channels inside). last_gamma:
    the last norm's scale starts at 0. The `act` slot holds the activations inside, never the one after the addition.
    """

    def __init__(self, kind, channels, stride, in_channels, site, last_gamma):
        super().__init__(prefix="")
        layers = convolutions(kind, channels, stride)
        self.body = nn.HybridSequential(prefix="")
        width, size = in_channels, site.spatial
        for i, (out, kernel, step) in enumerate(layers):
            after = shrunk(size, step)
            last = i == len(layers) - 1
            inner = site.inner(width, size) if last else None
            if inner:
                self.body.add(inner)
            gamma = "zeros" if last and last_gamma else "ones"
            layer = convolution(site, i, out, kernel, step, width, size)
            self.body.add(layer)
            if not getattr(layer, "normed", False):
                self.body.add(nn.BatchNorm(gamma_initializer=gamma, in_channels=out))
                if not last:
                    self.body.add(site.act(out, after, drop=i == len(layers) - 2))
            width, size = out, after
        self.post = site.post(channels, size)
        self.downsample = None
        if channels != in_channels or stride != 1:
            self.downsample = nn.HybridSequential(prefix="")
            self.downsample.add(conv(channels, 1, stride, in_channels), nn.BatchNorm(in_channels=channels))


class BlockV2(Residual):
    """Norm, activation, convolution ...; addition. N,C,H,W -> N,channels,H/stride,W/stride.

    kind: as in `BlockV1`. The shortcut takes the block's raw input. The `act` slot holds every activation.
    """

    def __init__(self, kind, channels, stride, in_channels, site):
        super().__init__(prefix="")
        layers = convolutions(kind, channels, stride)
        self._depth = len(layers)
        width, size = in_channels, site.spatial
        for i, (out, kernel, step) in enumerate(layers, 1):
            setattr(self, f"bn{i}", nn.BatchNorm(in_channels=width))
            setattr(self, f"act{i}", site.act(width, size, drop=i == self._depth))
            if i == self._depth:
                self.inner = site.inner(width, size)
            setattr(self, f"conv{i}", convolution(site, i - 1, out, kernel, step, width, size))
            width, size = out, shrunk(size, step)
        self.post = site.post(channels, size)
        self.downsample = None
        if channels != in_channels or stride != 1:
            self.downsample = conv(channels, 1, stride, in_channels)

    def hybrid_forward(self, F, x, *state):
        residual = self.downsample(x) if self.downsample else x
        for i in range(1, self._depth + 1):
            x = getattr(self, f"act{i}")(getattr(self, f"bn{i}")(x))
            x = self.inner(x) if self.inner and i == self._depth else x
            x = getattr(self, f"conv{i}")(x)
        x, state = self.attend(F, x, state)
        return (residual + x, *state) if state else residual + x


class CIFARResNet(HybridBlock):
    """A stem, three stages, average pooling and a dense layer: N,3,H,W -> N,classes logits.

    version: 1 or 2. kind: "basic" or "bottleneck". blocks: blocks of each stage. plan: a `Plan`. classes: number
    of outputs. input_size: H, told to modules that need it (default 32). drop_rate: dropout between the last two
    convolutions of each block, as in wide ResNets (default 0). last_gamma: version 1 only, each block's last
    norm starts at 0 (default False).
    """

    def __init__(
        self, version, kind, blocks, plan, classes, *, input_size=32, drop_rate=0.0, last_gamma=False
    ):  # fmt: skip
        super().__init__()
        positive("input_size", input_size)
        rate("drop_rate", drop_rate)
        if version == 2 and last_gamma:
            raise UserError("last_gamma is for version 1 networks: version 2 blocks end in a convolution")
        plan = plan.bind(blocks, slots(kind), head=version == 2)
        widths = [16 * 2**i * (4 if kind == "bottleneck" else 1) for i in range(len(blocks))]
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            self._add_stem(version)
            width, size = 16, input_size
            make = _block_maker(version, kind, last_gamma)
            for i, count in enumerate(blocks):
                self.features.add(stage(make, plan, i + 1, count, width, widths[i], size, drop_rate))
                width, size = widths[i], shrunk(size, 2) if i else size
            if version == 2:
                head = Site(plan, len(blocks) + 1, None, size, 0.0)
                self.features.add(nn.BatchNorm(in_channels=width), head.act(width, size))
            self.features.add(GlobalAvgPool(), nn.Flatten())
            self.output = nn.Dense(classes, in_units=width)

    def _add_stem(self, version):
        if version == 2:
            self.features.add(nn.BatchNorm(scale=False, center=False, in_channels=3))
        self.features.add(conv(16, 3, 1, 3))
        if version == 1:
            self.features.add(nn.BatchNorm(in_channels=16))

    def hybrid_forward(self, F, x):
        return self.output(self.features(x))


def _block_maker(version, kind, last_gamma):
    if version == 1:
        return lambda *where: BlockV1(kind, *where, last_gamma)
    return lambda *where: BlockV2(kind, *where)


def _cifar_resnet(version, kind, count, plan, classes, *, input_size=32, drop_rate=0.0, last_gamma=False):
    return CIFARResNet(
        version, kind, [count] * 3, plan, classes,
        input_size=input_size, drop_rate=drop_rate, last_gamma=last_gamma,
    )  # fmt: skip


def _atac_cifar_resnet(
    plan, classes, *, blocks=3, act_type="ChaATAC", act_layers=4, act_order="bac", reduction=None, relu=None,
    global_pool=None, input_size=32, drop_rate=0.0,
):  # fmt: skip
    """Dai et al.'s network: version 2, `blocks` blocks a stage, the activation a choice (`models/atac.py`)."""
    blocks = positive("blocks", blocks)
    entry = act_entry(
        act_type, 4, act_layers=act_layers, act_order=act_order,
        reduction=reduction, relu=relu, global_pool=global_pool,
    )  # fmt: skip
    return CIFARResNet(2, "basic", [blocks] * 3, Plan([entry]), classes, input_size=input_size, drop_rate=drop_rate)


for _depth, (_kind, _count) in variants.CIFAR_RESNET.items():
    for _version in (1, 2):
        MODELS.register(f"cifar_resnet{_depth}_v{_version}")(
            Model(
                partial(_cifar_resnet, _version, _kind, _count),
                32,
                stages=3,
                head=_version == 2,
                classes=10,
                blocks=(_count,) * 3,
            )
        )
MODELS.register("atac_cifar_resnet", "atac")(
    Model(_atac_cifar_resnet, 32, stages=3, head=True, classes=10, own_plan=True)
)
