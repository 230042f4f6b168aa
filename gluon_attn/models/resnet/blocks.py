"""What the ResNets of CIFAR and ImageNet share: the layers of a block, and the blocks of a stage."""

from functools import partial

from mxnet.gluon import nn

from ..plan import SLOTS
from ..slots import Site, Stage


def conv(channels, kernel, stride, in_channels, bias=False):
    """A convolution that keeps the map's size, but for its stride."""
    return nn.Conv2D(channels, kernel, stride, kernel // 2, use_bias=bias, in_channels=in_channels)


def shrunk(size, stride):
    """Height of a map after such a convolution."""
    return -(-size // stride)


def convolutions(kind, channels, stride, early=False):
    """(channels, kernel, stride) of the convolutions in a block, first to last.

    early: a bottleneck's stride is in its first convolution, not in its 3x3.
    """
    if kind == "basic":
        return [(channels, 3, stride), (channels, 3, 1)]
    first, second = (stride, 1) if early else (1, stride)
    return [(channels // 4, 1, first), (channels // 4, 3, second), (channels, 1, 1)]


def slots(kind):
    """The slots of a network with such blocks: a bottleneck has no 3x3 that may change the width."""
    return SLOTS if kind == "basic" else tuple(slot for slot in SLOTS if slot != "conv1")


def convolution(site, number, channels, kernel, stride, in_channels, spatial, bias=False):
    """A block's convolution, counted from 0.

    The `conv` slot is the 3x3 that keeps the width, the second; the `conv1` slot the first, where that is 3x3.
    """
    made = partial(conv, channels, kernel, stride, in_channels, bias)
    if number == 0 and kernel == 3:
        return site.conv1(channels, in_channels, spatial, stride, made)
    return site.conv(channels, spatial, stride, made) if number == 1 else made()


def stage(make, plan, number, count, in_channels, channels, spatial, drop_rate=0.0):
    """Blocks of one stage, the first with stride 2 from stage 2 on, then the `stage` slot's module.

    make: `make(channels, stride, in_channels, site)`, a block. number: of the stage, from 1. count: of its blocks.
    """
    blocks = Stage(prefix=f"stage{number}_")
    with blocks.name_scope():
        for block in range(count):
            stride = 2 if number > 1 and block == 0 else 1
            site = Site(plan, number, block, spatial, drop_rate)
            blocks.add(make(channels, stride, in_channels if block == 0 else channels, site))
            spatial = shrunk(spatial, stride)
        after = plan.make("stage", number, None, channels, spatial)
        if after:
            blocks.add(after)
    return blocks
