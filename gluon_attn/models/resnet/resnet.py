"""ResNets of the post-activation kind with slots for attention; a `Design` tells the published ones apart.

He et al. 2015, https://arxiv.org/abs/1512.03385. Parameters have the names that GluonCV's `resnet*_v1b` and PyTorch
code give them, `conv1 bn1 layer1.0.conv1 ... layer1.0.downsample.0 ... fc`, but that a norm's are Gluon's; a plan's
modules are `layer1.0.post` and so on. The stride of a bottleneck is in its 3x3 convolution.
"""

from dataclasses import dataclass
from functools import partial

from mxnet.gluon import HybridBlock, nn

from ...nn.layers import GlobalAvgPool, get_activation
from ...utils.checks import positive, rate, switch
from ..slots import Residual
from .blocks import conv, convolution, convolutions, shrunk, slots, stage
from .stems import make_stem


@dataclass(frozen=True)
class Design:
    """What tells networks of this kind apart.

    kind: "basic" or "bottleneck". widths: channels of the stages, inside a bottleneck or of a basic block. bias: the
    convolutions have biases. shortcut: what a block that changes the shape has there: "conv", a 1x1 convolution and a
    norm (option B of the paper); "average", an average of the pixels before these (version 1d); "pad", no weights
    (option A). stem: "large", for photographs, 7x7 and a max pooling; "deep", the same with three 3x3 (version 1d);
    "tiered", with fewer maps in the first of them (timm's version t); "small", one 3x3. stem_width: maps of the large
    (None: 64) or small (16) stem; of the deep stems' second convolution (32), whose last has twice as many, the tiered
    one's first three quarters. stem_pool: False: instead of the pooling, the last convolution of a deep or tiered stem
    has stride 2. activation: by name, of all. final_width: maps of a 1x1 convolution, with norm and activation, behind
    the last stage; None: it is not there. head: name of the dense layer.
    """

    kind: str = "basic"
    widths: tuple = (64, 128, 256, 512)
    bias: bool = False
    shortcut: str = "conv"
    stem: str = "large"
    stem_width: int | None = None
    stem_pool: bool = True
    activation: str = "relu"
    final_width: int | None = None
    head: str = "fc"


class PaddedShortcut(HybridBlock):
    """Every second pixel, and `added` maps of zeros before and as many behind: N,C,H,W -> N,C+2*added,H/2,W/2."""

    def __init__(self, added):
        super().__init__()
        self._added = added

    def hybrid_forward(self, F, x):
        # a pooling over one pixel: F.slice with a step divides by zero on some layouts that a convolution leaves
        x = F.Pooling(x, kernel=(1, 1), stride=(2, 2), pool_type="avg")
        # padded as a depth: a concatenation's gradient divides by zero where activations are attentional
        sides = (0, 0, 0, 0, self._added, self._added, 0, 0, 0, 0)
        return F.squeeze(F.pad(F.expand_dims(x, axis=1), mode="constant", pad_width=sides), axis=1)


class Block(Residual):
    """Convolution, norm, activation ...; addition; activation. N,C,H,W -> N,channels,H/stride,W/stride.

    design: two 3x3 ("basic"), or 1x1, 3x3, 1x1 with four times fewer channels inside ("bottleneck"). last_gamma: the
    last norm's scale starts at 0. The `act` slot holds the activations inside, never the one after the addition, the
    `inner` slot what stands before the last convolution.
    """

    def __init__(self, design, last_gamma, channels, stride, in_channels, site):
        super().__init__()
        rows = convolutions(design.kind, channels, stride)
        self.design, self._order = design, []
        width, size = in_channels, site.spatial
        with self.name_scope():
            for i, (out, kernel, step) in enumerate(rows, 1):
                last = i == len(rows)
                if last:
                    self._append("inner", site.inner(width, size))
                layer = convolution(site, i - 1, out, kernel, step, width, size, design.bias)
                width, size = out, shrunk(size, step)
                self._append(f"conv{i}", layer)
                if not getattr(layer, "normed", False):
                    gamma = "zeros" if last and last_gamma else "ones"
                    self._append(f"bn{i}", nn.BatchNorm(gamma_initializer=gamma, in_channels=out))
                    if not last:
                        self._append(f"relu{i}", site.act(out, size, otherwise=design.activation))
            self.post = site.post(channels, size)
            if design.activation != "relu":
                self.last = get_activation(design.activation)
            if channels != in_channels or stride != 1:
                self.downsample = _shortcut(design, channels, stride, in_channels)

    def _append(self, name, layer):
        if layer is not None:
            setattr(self, name, layer)
            self._order.append(name)

    def body(self, x):
        """The branch, without what `post` holds."""
        for name in self._order:
            x = getattr(self, name)(x)
        return x


def _shortcut(design, channels, stride, in_channels):
    if design.shortcut == "pad":
        return PaddedShortcut((channels - in_channels) // 2)
    layers = nn.HybridSequential(prefix="down_")
    with layers.name_scope():
        if design.shortcut == "average":
            layers.add(nn.AvgPool2D(stride, stride, ceil_mode=True, count_include_pad=False))
            stride = 1
        layers.add(conv(channels, 1, stride, in_channels, design.bias), nn.BatchNorm(in_channels=channels))
    return layers


def _final(design, width):
    """(what stands behind the last stage or None, the maps behind it)."""
    if design.final_width is None:
        return None, width
    channels = positive("final_width", design.final_width)
    layers = nn.HybridSequential(prefix="final_")
    with layers.name_scope():
        layers.add(conv(channels, 1, 1, width), nn.BatchNorm(in_channels=channels), get_activation(design.activation))
    return layers, channels


class ResNet(HybridBlock):
    """A stem, stages `layer1` on, average pooling and a dense layer: N,3,H,W -> N,classes logits.

    design: a `Design`. blocks: blocks of each stage. plan: a `Plan`. classes: number of outputs. input_size: H, told
    to modules that need it. last_gamma: each block's last norm starts at 0 (default False). drop_rate: dropout before
    the dense layer (default 0).

    Of the large stems' max pooling oneDNN gives arbitrary gradients where the pass was recorded with
    `train_mode=False`; for gradients in that mode set MXNET_MKLDNN_ENABLED=0.
    """

    reference_key = "resnet"

    def __init__(self, design, blocks, plan, classes, *, input_size, last_gamma=False, drop_rate=0.0):
        super().__init__()
        size, large = positive("input_size", input_size), design.stem != "small"
        plan = plan.bind(blocks, slots(design.kind), head=False)
        make = partial(Block, design, switch("last_gamma", last_gamma))
        grown = 4 if design.kind == "bottleneck" else 1
        self._stages, self._head = len(blocks), design.head
        self.design, self.blocks = design, tuple(blocks)
        with self.name_scope():
            self.conv1, width = make_stem(design)
            self.bn1, self.relu = nn.BatchNorm(in_channels=width), get_activation(design.activation)
            self.maxpool = nn.MaxPool2D(3, 2, 1) if large and design.stem_pool else None
            size = shrunk(size, 4) if large else size
            for i, (count, inner) in enumerate(zip(blocks, design.widths, strict=True), 1):
                setattr(self, f"layer{i}", stage(make, plan, i, count, width, inner * grown, size))
                width, size = inner * grown, shrunk(size, 2) if i > 1 else size
            self.final, width = _final(design, width)
            self.avgpool, self.flat = GlobalAvgPool(), nn.Flatten()
            self.drop = nn.Dropout(drop_rate) if rate("drop_rate", drop_rate) else None
            setattr(self, design.head, nn.Dense(classes, in_units=width))

    def hybrid_forward(self, F, x):
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.maxpool(x) if self.maxpool else x
        for i in range(1, self._stages + 1):
            x = getattr(self, f"layer{i}")(x)
        x = self.flat(self.avgpool(self.final(x) if self.final else x))
        return getattr(self, self._head)(self.drop(x) if self.drop else x)
