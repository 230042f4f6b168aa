"""ANAS's supernet in PyTorch."""

import torch
from torch import nn

from benchmarks.lib.torch_darts import Zero, depthwise, pointwise


class ChannelScore(nn.Module):
    """One value per channel, from its mean and maximum."""

    def __init__(self, channels: int):
        super().__init__()
        self.dense = nn.Linear(2 * channels, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values = self.dense(torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1))
        return values[:, :, None, None].expand_as(x)


class SpatialScore(nn.Module):
    """One value per position, from mean and maximum over the channels."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)).expand_as(x)


#: ANAS's candidate operations, as functions of the channels
IN_ATTENTION = (
    lambda c: Zero(1), lambda c: nn.Identity(), lambda c: pointwise(c, c),
    lambda c: depthwise(c, 3, [(1, 1), (1, 1)]), lambda c: depthwise(c, 3, [(1, 2)]),
    lambda c: nn.AvgPool2d(3, 1, 1, count_include_pad=False), lambda c: nn.MaxPool2d(3, 1, 1), ChannelScore,
    lambda c: SpatialScore(),
)  # fmt: skip


class Attended(nn.Module):
    """A basic block that ends in a mixed attention of all candidate operations."""

    def __init__(self, in_channels: int, channels: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels),
        )  # fmt: skip
        self.edges = nn.ModuleList(nn.ModuleList(make(channels) for make in IN_ATTENTION) for _ in range(9))
        self.shortcut = nn.Identity()
        if in_channels != channels:
            conv = nn.Conv2d(in_channels, channels, 1, stride, bias=False)
            self.shortcut = nn.Sequential(conv, nn.BatchNorm2d(channels))

    def forward(self, x: torch.Tensor, alphas: torch.Tensor) -> torch.Tensor:
        """Compute the block; `alphas` (edges, operations) are softmax weights."""
        y = self.body(x)
        states, edge = [y, y], 0
        for _ in range(3):
            total = 0
            for state in states:
                layers = zip(alphas[edge], self.edges[edge], strict=True)
                total = total + sum(weight * layer(state) for weight, layer in layers)
                edge += 1
            states.append(total)
        return torch.relu(y * sum(states[2:]).sigmoid() + self.shortcut(x))


class AttentionSupernet(nn.Module):
    """ANAS's supernet on the CIFAR ResNet-20; `arch` holds the architecture parameters."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        rows = [(16, 16, 1)] * 3 + [(16, 32, 2)] + [(32, 32, 1)] * 2 + [(32, 64, 2)] + [(64, 64, 1)] * 2
        self.blocks = nn.ModuleList(Attended(*row) for row in rows)
        self.classifier = nn.Linear(64, 10)
        self.arch = nn.ParameterList([1e-3 * torch.randn(9, 9)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        alphas, x = self.arch[0].softmax(-1), self.stem(x)
        for block in self.blocks:
            x = block(x, alphas)
        return self.classifier(x.mean((2, 3)))
