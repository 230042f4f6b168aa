"""Att-DARTS's supernet in PyTorch."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import nn

from benchmarks.lib.torch_attention import A2, CBAM, SE, GEThetaPlus
from benchmarks.lib.torch_attention.layers import avg


def norm(channels: int) -> nn.Module:
    """Make a batch norm without scale and shift, as searches have it."""
    return nn.BatchNorm2d(channels, affine=False)


class Zero(nn.Module):
    """The operation "none"."""

    def __init__(self, stride: int):
        super().__init__()
        self.stride = stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, :: self.stride, :: self.stride] * 0.0


class Reduce(nn.Module):
    """Factorized reduction: halves height and width."""

    def __init__(self, in_channels: int, channels: int):
        super().__init__()
        self.one, self.two = (nn.Conv2d(in_channels, channels // 2, 1, 2, bias=False) for _ in range(2))
        self.norm = norm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(x)
        return self.norm(torch.cat([self.one(x), self.two(x[:, :, 1:, 1:])], 1))


def pointwise(in_channels: int, channels: int) -> nn.Sequential:
    """Make ReLU, a 1x1 convolution and batch norm."""
    return nn.Sequential(nn.ReLU(), nn.Conv2d(in_channels, channels, 1, bias=False), norm(channels))


def depthwise(channels: int, kernel: int, steps: Sequence[tuple[int, int]]) -> nn.Sequential:
    """Make a depthwise separable convolution for each (stride, dilation) of `steps`."""
    layers = []
    for stride, dilation in steps:
        padding = kernel // 2 * dilation
        conv = nn.Conv2d(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False)
        layers += [nn.ReLU(), conv, nn.Conv2d(channels, channels, 1, bias=False), norm(channels)]
    return nn.Sequential(*layers)


def pooled(pool: nn.Module, channels: int) -> nn.Sequential:
    """Make a pooling with batch norm."""
    return nn.Sequential(pool, norm(channels))


#: DARTS's candidate operations, as functions of channels and stride
OPERATIONS = (
    lambda c, s: Zero(s),
    lambda c, s: pooled(nn.MaxPool2d(3, s, 1), c),
    lambda c, s: pooled(nn.AvgPool2d(3, s, 1, count_include_pad=False), c),
    lambda c, s: nn.Identity() if s == 1 else Reduce(c, c),
    *(lambda c, s, k=k: depthwise(c, k, [(s, 1), (1, 1)]) for k in (3, 5)),
    *(lambda c, s, k=k: depthwise(c, k, [(s, 2)]) for k in (3, 5)),
)


class BAM(nn.Module):
    """BAM as in Att-DARTS's code: batch norms in both branches, whose product is taken."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        width = max(1, channels // 16)
        dilated = {"kernel_size": 3, "padding": 4, "dilation": 4}
        self.channel = nn.Sequential(
            nn.Conv2d(channels, width, 1), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, channels, 1)
        )
        self.space = nn.Sequential(
            nn.Conv2d(channels, width, 1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, **dilated), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, **dilated), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, 1, 1),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * (1 + (self.channel(avg(x)) * self.space(x)).sigmoid())


ATTENTIONS = (lambda c, size: nn.Identity(), partial(SE, bias=False), BAM, CBAM, GEThetaPlus, A2)


class Edge(nn.Module):
    """A mixed operation followed by a mixed attention."""

    def __init__(self, channels: int, stride: int, size: int):
        super().__init__()
        self.first = nn.ModuleList(make(channels, stride) for make in OPERATIONS)
        self.second = nn.ModuleList(make(channels, size) for make in ATTENTIONS)

    def forward(self, x: torch.Tensor, alphas: torch.Tensor, betas: torch.Tensor) -> torch.Tensor:
        """Mix with the softmax weights of operations and attentions."""
        x = sum(weight * layer(x) for weight, layer in zip(alphas, self.first, strict=True))
        return sum(weight * layer(x) for weight, layer in zip(betas, self.second, strict=True))


class Cell(nn.Module):
    """A cell with all edges; the arguments are those of `torch_cells.Cell`."""

    def __init__(self, before: int, last: int, channels: int, size: int, reduction: bool, halve: bool):
        super().__init__()
        self.one = Reduce(before, channels) if halve else pointwise(before, channels)
        self.two = pointwise(last, channels)
        strides = [2 if reduction and i < 2 else 1 for node in range(4) for i in range(2 + node)]
        self.edges = nn.ModuleList(Edge(channels, stride, size) for stride in strides)

    def forward(
        self, before: torch.Tensor, last: torch.Tensor, alphas: torch.Tensor, betas: torch.Tensor
    ) -> torch.Tensor:
        """Compute the cell with the softmax weights (edges, operations) and (edges, attentions)."""
        states, edge = [self.one(before), self.two(last)], 0
        for _ in range(4):
            total = 0
            for state in states:
                total = total + self.edges[edge](state, alphas[edge], betas[edge])
                edge += 1
            states.append(total)
        return torch.cat(states[2:], 1)


class CellSupernet(nn.Module):
    """Att-DARTS's supernet, attention after every operation; `arch` holds the architecture parameters."""

    def __init__(self, channels: int, layers: int, size: int):
        super().__init__()
        before = last = 3 * channels
        self.stem = nn.Sequential(nn.Conv2d(3, last, 3, padding=1, bias=False), nn.BatchNorm2d(last))
        self.cells, self.kinds, halve = nn.ModuleList(), [], False
        for i in range(layers):
            reduction = i in (layers // 3, 2 * layers // 3)
            channels, size = (2 * channels, size // 2) if reduction else (channels, size)
            self.cells.append(Cell(before, last, channels, size, reduction, halve))
            self.kinds.append(int(reduction))
            halve, before, last = reduction, last, 4 * channels
        self.classifier = nn.Linear(last, 10)
        self.arch = nn.ParameterList(1e-3 * torch.randn(14, count) for count in (8, 8, 6, 6))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        softmaxed = [weights.softmax(-1) for weights in self.arch]
        before = last = self.stem(x)
        for cell, kind in zip(self.cells, self.kinds, strict=True):
            before, last = last, cell(before, last, softmaxed[kind], softmaxed[2 + kind])
        return self.classifier(last.mean((2, 3)))
