"""MobileNetV2 with ECA and Att-DARTS's ImageNet network in PyTorch."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from benchmarks.lib.torch_attention import A2, BAM, CBAM, ECA

GENOTYPES = Path(__file__).resolve().parents[2] / "params" / "genotypes"
_ATTENTIONS = {"CBAM": CBAM, "BAM": BAM, "DoubleAttention": A2}


def conv(
    in_channels: int, out: int, kernel: int = 1, stride: int = 1, groups: int = 1,
    relu: Callable[[], nn.Module] | None = None,
) -> nn.Sequential:  # fmt: skip
    """Make a convolution with batch norm, and with an activation if `relu` makes one."""
    layers = [nn.Conv2d(in_channels, out, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(out)]
    return nn.Sequential(*layers, *([relu()] if relu else []))


class Inverted(nn.Module):
    """An inverted residual block with ECA."""

    def __init__(self, in_channels: int, out: int, stride: int, expansion: int):
        super().__init__()
        width = in_channels * expansion
        first = [conv(in_channels, width, relu=nn.ReLU6)] if expansion != 1 else []
        self.body = nn.Sequential(*first, conv(width, width, 3, stride, width, nn.ReLU6), conv(width, out), ECA(out, 0))
        self.added = stride == 1 and in_channels == out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x) if self.added else self.body(x)


def mobilenet(size: int) -> nn.Module:
    """Make the peer of eca_mobilenet_v2_formula, for images of any size."""
    rows = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    layers, width = [conv(3, 32, 3, 2, relu=nn.ReLU6)], 32
    for expansion, out, count, first in rows:
        for block in range(count):
            layers.append(Inverted(width, out, 1 if block else first, expansion))
            width = out
    head = [conv(width, 1280, relu=nn.ReLU6), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.25)]
    return nn.Sequential(*layers, *head, nn.Linear(1280, 1000))


class Reduce(nn.Module):
    """Factorized reduction: halves height and width."""

    def __init__(self, in_channels: int, out: int):
        super().__init__()
        self.one, self.two = (nn.Conv2d(in_channels, out // 2, 1, 2, bias=False) for _ in range(2))
        self.norm = nn.BatchNorm2d(out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.relu()
        return self.norm(torch.cat([self.one(x), self.two(nn.functional.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:])], 1))


def depthwise(width: int, stride: int, dilation: int) -> nn.Sequential:
    """Make ReLU, a depthwise separable convolution of 3x3 and batch norm."""
    layer = nn.Conv2d(width, width, 3, stride, dilation, dilation, groups=width, bias=False)
    return nn.Sequential(nn.ReLU(), layer, nn.Conv2d(width, width, 1, bias=False), nn.BatchNorm2d(width))


def operation(name: str, width: int, stride: int) -> nn.Module:
    """Make the operation of a genotype."""
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else Reduce(width, width)
    if name == "sep_conv_3x3":
        return nn.Sequential(depthwise(width, stride, 1), depthwise(width, 1, 1))
    if name == "dil_conv_3x3":
        return depthwise(width, stride, 2)
    if name == "max_pool_3x3":
        return nn.MaxPool2d(3, stride, 1)
    return nn.AvgPool2d(3, stride, 1, count_include_pad=False)


class Cell(nn.Module):
    """A cell of Att-DARTS: an operation and an attention on each edge.

    Args:
        edges: (operation, source node, attention) of each edge.
        before: Channels of the output of the cell before the last one.
        last: Channels of the output of the last cell.
        width: Channels inside.
        size: Height and width of the output.
        reduction: Whether the cell halves height and width.
        halve: Whether the last cell did, so that the output before it is still twice as large.
    """

    def __init__(self, edges: Sequence, before: int, last: int, width: int, size: int, reduction: bool, halve: bool):
        super().__init__()
        self.edges = edges
        self.zero = Reduce(before, width) if halve else nn.Sequential(nn.ReLU(), conv(before, width))
        self.one = nn.Sequential(nn.ReLU(), conv(last, width))
        self.layers = nn.ModuleList(
            nn.Sequential(
                operation(name, width, 2 if reduction and source < 2 else 1), _ATTENTIONS[attention](width, size)
            )
            for name, source, attention in edges
        )

    def forward(self, before: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        states = [self.zero(before), self.one(last)]
        for node in range(0, len(self.edges), 2):
            pair = (self.layers[edge](states[self.edges[edge][1]]) for edge in (node, node + 1))
            states.append(sum(pair))
        return torch.cat(states[2:], 1)


class AttDarts(nn.Module):
    """The peer of att_darts_imagenet: 14 cells, 48 channels at first."""

    def __init__(self, size: int, width: int = 48, layers: int = 14):
        super().__init__()
        cells = json.loads((GENOTYPES / "Att_DARTS.json").read_text(encoding="utf-8"))["cells"]
        self.stem = nn.Sequential(conv(3, width // 2, 3, 2, relu=nn.ReLU), conv(width // 2, width, 3, 2))
        self.stem1 = nn.Sequential(nn.ReLU(), conv(width, width, 3, 2))
        self.cells, before, last, halve, size = nn.ModuleList(), width, width, True, size // 8
        for number in range(layers):
            reduction = number in (layers // 3, 2 * layers // 3)
            width, size = (2 * width, size // 2) if reduction else (width, size)
            edges = cells["reduce" if reduction else "normal"]["edges"]
            self.cells.append(Cell(edges, before, last, width, size, reduction, halve))
            halve, before, last = reduction, last, 4 * width
        self.classifier = nn.Linear(last, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        before = self.stem(x)
        last = self.stem1(before)
        for cell in self.cells:
            before, last = last, cell(before, last)
        return self.classifier(last.mean((2, 3)))
