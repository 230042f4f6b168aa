"""ResNet-50 and the CIFAR ResNet-20 in PyTorch, with slots for attention."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import torch
from torch import nn

from benchmarks.lib import torch_attention, torch_cells
from benchmarks.lib.networks import DEPLOYED, NETWORKS, Row

Make = Callable[[int, int], nn.Module]  # of channels and size
Convolutions = tuple[tuple[int, int, int], ...]  # (channels, kernel size, stride)


class Block(nn.Module):
    """A residual block.

    Args:
        in_channels: Channels of its input.
        rows: (channels, kernel size, stride) of each convolution.
        size: Height and width of its input.
        act: Makes the activation between two convolutions.
        post: Makes the attention before the addition.
    """

    def __init__(self, in_channels: int, rows: Convolutions, size: int, act: Make, post: Make):
        super().__init__()
        layers, width = [], in_channels
        for number, (out, kernel, stride) in enumerate(rows):
            layers += [nn.Conv2d(width, out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(out)]
            width, size = out, size // stride
            layers += [act(out, size)] if number < len(rows) - 1 else []
        self.body, self.post = nn.Sequential(*layers), post(width, size)
        stride = max(row[2] for row in rows)
        self.shortcut = nn.Identity()
        if in_channels != width or stride > 1:
            self.shortcut = nn.Sequential(nn.Conv2d(in_channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N,in_channels,H,W) to (N,channels,H/stride,W/stride)."""
        return torch.relu(self.post(self.body(x)) + self.shortcut(x))


def bottleneck(channels: int, stride: int) -> Convolutions:
    """Return the convolutions of a bottleneck block."""
    return (channels, 1, 1), (channels, 3, stride), (4 * channels, 1, 1)


def basic(channels: int, stride: int) -> Convolutions:
    """Return the convolutions of a basic block."""
    return (channels, 3, stride), (channels, 3, 1)


def relu(channels: int, size: int) -> nn.Module:
    """Make the usual activation."""
    return nn.ReLU()


def nothing(channels: int, size: int) -> nn.Module:
    """Make what stands in an empty slot."""
    return nn.Identity()


def stages(
    row: Row, rows_of: Callable[[int, int], Convolutions], blocks: Sequence[int], width: int, size: int
) -> tuple[list[nn.Module], int]:
    """Make the blocks of all stages.

    Args:
        row: Which attention is used, and where.
        rows_of: `bottleneck` or `basic`.
        blocks: Number of blocks of each stage.
        width: Channels of the input, and of the convolutions of the first stage.
        size: Height and width of the input, which the first stage keeps.

    Returns:
        The blocks, and the channels of the last one's output.
    """
    module = getattr(torch_attention, row.module) if row.module else nothing
    post = module if row.slot == "post" else nothing
    layers, first = [], width
    for stage, count in enumerate(blocks):
        act = module if row.slot == "act" and stage >= len(blocks) - (row.last or 0) else relu
        for number in range(count):
            stride = 2 if stage and not number else 1
            rows = rows_of(first * 2**stage, stride)
            layers.append(Block(width, rows, size, act, post))
            width, size = rows[-1][0], size // stride
    return layers, width


def network(name: str, size: int) -> Any:
    """Make a network of `networks` for images of height and width `size`."""
    row = {**NETWORKS, **DEPLOYED}[name]
    if row.timm:
        return import_module("timm").create_model(row.timm, num_classes=1000)
    if row.cells:
        return getattr(torch_cells, row.cells)(size)
    if row.small:
        layers, width = stages(row, basic, (3, 3, 3), 16, size)
        stem, classes = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)], 10
    else:
        layers, width = stages(row, bottleneck, (3, 4, 6, 3), 64, size // 4)
        stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        classes = 1000
    return nn.Sequential(*stem, *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))
