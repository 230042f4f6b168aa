"""CIFAR ResNets, versions 1 and 2, with slots for attention.

He et al. 2015, https://arxiv.org/abs/1512.03385 and 2016, https://arxiv.org/abs/1603.05027. Layers and parameter
names are GluonCV's, so its `cifar_resnet*` files load as they are; like there, version 1 has no ReLU in its stem.
"""

from numbers import Real

from mxnet.gluon import HybridBlock, nn

from ..attention.base import positive
from ..nn.act import get_activation
from ..nn.pool import GlobalAvgPool
from ..utils.errors import UserError

SLOTS = ("post", "act", "stage")


def _conv(channels, kernel, stride, in_channels):
    return nn.Conv2D(channels, kernel, stride, kernel // 2, use_bias=False, in_channels=in_channels)


def _strided(size, stride):
    """Height of a map after such a convolution."""
    return -(-size // stride)


def _layers(kind, channels, stride):
    """(channels, kernel, stride) of the convolutions in a block, first to last."""
    if kind == "basic":
        return [(channels, 3, stride), (channels, 3, 1)]
    return [(channels // 4, 1, 1), (channels // 4, 3, stride), (channels, 1, 1)]


class Site:
    """One block's place in the network: asks the plan for what its slots hold.

    plan: a bound `Plan`. stage: from 1. block: from 0 in the stage, None for the head. spatial: height of the
    block's input. drop_rate: of the dropout behind an activation.
    """

    def __init__(self, plan, stage, block, spatial, drop_rate):
        self.plan, self.stage, self.block, self.spatial = plan, stage, block, spatial
        self.drop_rate = drop_rate

    def post(self, channels, spatial):
        """What ends the residual branch of `channels` maps, `spatial` high, or None."""
        return self.plan.make("post", self.stage, self.block, channels, spatial)

    def act(self, channels, spatial, drop=False):
        """The activation of `channels` maps, `spatial` high; with `drop`, dropout behind it."""
        module = self.plan.make("act", self.stage, self.block, channels, spatial) or get_activation("relu")
        if not (drop and self.drop_rate):
            return module
        both = nn.HybridSequential(prefix="")
        both.add(module, nn.Dropout(self.drop_rate))
        return both


class BlockV1(HybridBlock):
    """Convolution, norm, activation ...; addition; ReLU. N,C,H,W -> N,channels,H/stride,W/stride.

    kind: "basic" (two 3x3) or "bottleneck" (1x1, 3x3, 1x1 with four times fewer channels inside). last_gamma:
    the last norm's scale starts at 0. The `act` slot holds the activations inside, never the one after the addition.
    """

    def __init__(self, kind, channels, stride, in_channels, site, last_gamma):
        super().__init__(prefix="")
        layers = _layers(kind, channels, stride)
        self.body = nn.HybridSequential(prefix="")
        width, size = in_channels, site.spatial
        for i, (out, kernel, step) in enumerate(layers):
            size = _strided(size, step)
            last = i == len(layers) - 1
            gamma = "zeros" if last and last_gamma else "ones"
            self.body.add(_conv(out, kernel, step, width), nn.BatchNorm(gamma_initializer=gamma, in_channels=out))
            if not last:
                self.body.add(site.act(out, size, drop=i == len(layers) - 2))
            width = out
        self.post = site.post(channels, size)
        self.downsample = None
        if channels != in_channels or stride != 1:
            self.downsample = nn.HybridSequential(prefix="")
            self.downsample.add(_conv(channels, 1, stride, in_channels), nn.BatchNorm(in_channels=channels))

    def hybrid_forward(self, F, x):
        residual = self.downsample(x) if self.downsample else x
        x = self.body(x)
        x = self.post(x) if self.post else x
        return F.Activation(residual + x, act_type="relu")


class BlockV2(HybridBlock):
    """Norm, activation, convolution ...; addition. N,C,H,W -> N,channels,H/stride,W/stride.

    kind: as in `BlockV1`. The shortcut takes the block's raw input. The `act` slot holds every activation.
    """

    def __init__(self, kind, channels, stride, in_channels, site):
        super().__init__(prefix="")
        layers = _layers(kind, channels, stride)
        self._depth = len(layers)
        width, size = in_channels, site.spatial
        for i, (out, kernel, step) in enumerate(layers, 1):
            setattr(self, f"bn{i}", nn.BatchNorm(in_channels=width))
            setattr(self, f"act{i}", site.act(width, size, drop=i == self._depth))
            setattr(self, f"conv{i}", _conv(out, kernel, step, width))
            width, size = out, _strided(size, step)
        self.post = site.post(channels, size)
        self.downsample = None
        if channels != in_channels or stride != 1:
            self.downsample = _conv(channels, 1, stride, in_channels)

    def hybrid_forward(self, F, x):
        residual = self.downsample(x) if self.downsample else x
        for i in range(1, self._depth + 1):
            x = getattr(self, f"conv{i}")(getattr(self, f"act{i}")(getattr(self, f"bn{i}")(x)))
        x = self.post(x) if self.post else x
        return residual + x


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
        if not isinstance(drop_rate, Real) or not 0 <= drop_rate < 1:
            raise UserError(f"drop_rate must be from 0 to below 1, got {drop_rate!r}")
        if version == 2 and last_gamma:
            raise UserError("last_gamma is for version 1 networks: version 2 blocks end in a convolution")
        plan = plan.bind(blocks, SLOTS, head=version == 2)
        widths = [16 * 2**i * (4 if kind == "bottleneck" else 1) for i in range(len(blocks))]
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            self._add_stem(version)
            width, size = 16, input_size
            make = _block_maker(version, kind, last_gamma)
            for i, count in enumerate(blocks):
                self.features.add(_stage(make, plan, i + 1, count, width, widths[i], size, drop_rate))
                width, size = widths[i], _strided(size, 2) if i else size
            if version == 2:
                head = Site(plan, len(blocks) + 1, None, size, 0.0)
                self.features.add(nn.BatchNorm(in_channels=width), head.act(width, size))
            self.features.add(GlobalAvgPool(), nn.Flatten())
            self.output = nn.Dense(classes, in_units=width)

    def _add_stem(self, version):
        if version == 2:
            self.features.add(nn.BatchNorm(scale=False, center=False, in_channels=3))
        self.features.add(_conv(16, 3, 1, 3))
        if version == 1:
            self.features.add(nn.BatchNorm(in_channels=16))

    def hybrid_forward(self, F, x):
        return self.output(self.features(x))


def _block_maker(version, kind, last_gamma):
    if version == 1:
        return lambda *where: BlockV1(kind, *where, last_gamma)
    return lambda *where: BlockV2(kind, *where)


def _stage(make, plan, stage, count, in_channels, channels, spatial, drop_rate):
    """Blocks of one stage, the first with stride 2 from stage 2 on, then the `stage` slot's module."""
    layers = nn.HybridSequential(prefix=f"stage{stage}_")
    with layers.name_scope():
        for block in range(count):
            stride = 2 if stage > 1 and block == 0 else 1
            site = Site(plan, stage, block, spatial, drop_rate)
            layers.add(make(channels, stride, in_channels if block == 0 else channels, site))
            spatial = _strided(spatial, stride)
        after = plan.make("stage", stage, None, channels, spatial)
        if after:
            layers.add(after)
    return layers
