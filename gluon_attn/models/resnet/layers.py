"""The layers that all ResNets share: convolutions of a block, and the blocks of a stage."""

from collections.abc import Callable
from functools import partial

from mxnet.gluon import HybridBlock, nn

from ..plan import SLOTS, Plan
from ..slots import BlockSlots, Stage, strided_size


def conv(channels: int, kernel: int, stride: int, in_channels: int, bias: bool = False, groups: int = 1) -> nn.Conv2D:
    """A convolution of an odd kernel size with "same" padding.

    Args:
        channels: of the output.
        kernel: height and width of the kernel.
        stride: of both axes.
        in_channels: of the input.
        bias: with a bias (default False).
        groups: of channels (default 1).
    """
    return nn.Conv2D(channels, kernel, stride, kernel // 2, groups=groups, use_bias=bias, in_channels=in_channels)


def conv_shapes(kind: str, channels: int, stride: int, stride_first: bool = False) -> list[tuple[int, int, int]]:
    """(channels, kernel, stride) of the convolutions in a block, first to last.

    Args:
        kind: "basic" (two 3x3) or "bottleneck" (1x1, 3x3, 1x1 with a quarter of the channels inside).
        channels: output channels of the block.
        stride: stride of the block.
        stride_first: the stride of a bottleneck is in its first convolution instead of in its 3x3.
    """
    if kind == "basic":
        return [(channels, 3, stride), (channels, 3, 1)]
    first, second = (stride, 1) if stride_first else (1, stride)
    return [(channels // 4, 1, first), (channels // 4, 3, second), (channels, 1, 1)]


def slot_names(kind: str) -> tuple[str, ...]:
    """The slots of a network of blocks of a kind, "basic" or "bottleneck".

    A bottleneck has no `conv1` slot: its 3x3 convolution keeps the number of channels.
    """
    return SLOTS if kind == "basic" else tuple(slot for slot in SLOTS if slot != "conv1")


def block_conv(
    slots: BlockSlots,
    index: int,
    channels: int,
    kernel: int,
    stride: int,
    in_channels: int,
    spatial: int,
    bias: bool = False,
    groups: int = 1,
) -> HybridBlock:
    """A convolution of a block, or what the plan puts in its place.

    The second convolution is the `conv` slot. The first is the `conv1` slot if it is a 3x3.

    Args:
        slots: of the block.
        index: number of the convolution in the block, from 0.
        channels, kernel, stride, in_channels, bias: as of `conv`.
        spatial: height of the convolution's input.
    """
    default = partial(conv, channels, kernel, stride, in_channels, bias, groups)
    if index == 0 and kernel == 3:
        return slots.conv1(channels, in_channels, spatial, stride, default)
    return slots.conv(channels, spatial, stride, default, in_channels) if index == 1 else default()


def make_stage(
    make_block: Callable[[int, int, int, BlockSlots], HybridBlock],
    plan: Plan,
    number: int,
    count: int,
    in_channels: int,
    channels: int,
    spatial: int,
    drop_rate: float = 0.0,
) -> Stage:
    """The blocks of a stage and the module of its `stage` slot.

    Args:
        make_block: `make_block(channels, stride, in_channels, slots)` gives a block.
        plan: a bound `Plan`.
        number: number of the stage, from 1. From stage 2 on the first block has stride 2.
        count: number of blocks.
        in_channels: input channels of the stage.
        channels: output channels of the stage.
        spatial: input height of the stage.
        drop_rate: dropout probability inside the blocks.
    """
    blocks = Stage(prefix=f"stage{number}_")
    with blocks.name_scope():
        for block in range(count):
            stride = 2 if number > 1 and block == 0 else 1
            slots = BlockSlots(plan, number, block, spatial, drop_rate)
            blocks.add(make_block(channels, stride, in_channels if block == 0 else channels, slots))
            spatial = strided_size(spatial, stride)
        after = plan.make("stage", number, None, channels, spatial)
        if after:
            blocks.add(after)
    return blocks
