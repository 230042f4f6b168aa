"""Gates with one value per position, with or without one per channel, in PyTorch."""

import math

import torch
from torch import nn

from .channel import SE
from .layers import avg, hidden, pointwise


class CBAM(nn.Module):
    """Convolutional block attention (Woo et al. 2018)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        self.mlp = pointwise(channels, hidden(channels, 16))
        self.conv = nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1, momentum=0.01))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x * (self.mlp(avg(x)) + self.mlp(x.amax((2, 3), keepdim=True))).sigmoid()
        return x * self.conv(torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)).sigmoid()


class LightCBAM(CBAM):
    """CBAM with sums of mean and maximum, as in timm."""

    def __init__(self, channels: int, size: int):
        super().__init__(channels, size)
        self.conv = nn.Sequential(nn.Conv2d(1, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x * self.mlp(0.5 * avg(x) + 0.5 * x.amax((2, 3), keepdim=True)).sigmoid()
        return x * self.conv(0.5 * x.mean(1, keepdim=True) + 0.5 * x.amax(1, keepdim=True)).sigmoid()


class BAM(nn.Module):
    """Bottleneck attention (Park et al. 2018)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        width = hidden(channels, 16)
        self.channel = nn.Sequential(pointwise(channels, width), nn.BatchNorm2d(channels))
        dilated = {"kernel_size": 3, "padding": 4, "dilation": 4}
        self.space = nn.Sequential(
            nn.Conv2d(channels, width, 1), nn.ReLU(), nn.Conv2d(width, width, **dilated), nn.ReLU(),
            nn.Conv2d(width, width, **dilated), nn.ReLU(), nn.Conv2d(width, 1, 1), nn.BatchNorm2d(1),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * (1 + (self.channel(avg(x)) + self.space(x)).sigmoid())


class SGE(nn.Module):
    """Spatial group-wise enhance (Li et al. 2019)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        self.groups = math.gcd(64, channels)
        self.weight = nn.Parameter(torch.zeros(1, self.groups, 1, 1))
        self.bias = nn.Parameter(torch.ones(1, self.groups, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, c, h, w = x.shape
        x = x.reshape(n * self.groups, -1, h, w)
        s = (x * avg(x)).sum(1).view(n, self.groups, h * w)
        s = s - s.mean(2, keepdim=True)
        t = (s / (s.std(2, keepdim=True) + 1e-5)).view(n, self.groups, h, w) * self.weight + self.bias
        return (x * t.view(n * self.groups, 1, h, w).sigmoid()).view(n, c, h, w)


class ChaATAC(nn.Module):
    """Attentional activation by channels (Dai et al. 2020)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        self.mlp = pointwise(channels, hidden(channels, 2), norm=True, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.mlp(x).sigmoid()


class SpaATAC(nn.Module):
    """Attentional activation by positions."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False), nn.BatchNorm2d(channels),
            nn.ReLU(), nn.Conv2d(channels, 1, 3, padding=1, bias=False), nn.BatchNorm2d(1),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.body(x).sigmoid()


class SeqATAC(nn.Sequential):
    """The one after the other."""

    def __init__(self, channels: int, size: int):
        super().__init__(ChaATAC(channels, size), SpaATAC(channels, size))


class Triplet(nn.Module):
    """Triplet attention (Misra et al. 2021)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        self.gates = nn.ModuleList(
            nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1, momentum=0.01)) for _ in range(3)
        )

    def gated(self, x: torch.Tensor, gate: nn.Module) -> torch.Tensor:
        """Multiply `x` with a gate computed from maximum and mean over its second axis."""
        return x * gate(torch.cat([x.max(1, keepdim=True)[0], x.mean(1, keepdim=True)], 1)).sigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = self.gated(x.permute(0, 2, 1, 3).contiguous(), self.gates[0]).permute(0, 2, 1, 3)
        second = self.gated(x.permute(0, 3, 2, 1).contiguous(), self.gates[1]).permute(0, 3, 2, 1)
        return (first + second + self.gated(x, self.gates[2])) / 3


class SimAM(nn.Module):
    """Attention without parameters (Yang et al. 2021)."""

    def __init__(self, channels: int, size: int):
        super().__init__()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        d = (x - avg(x)).pow(2)
        v = d.sum((2, 3), keepdim=True) / (x.shape[2] * x.shape[3] - 1)
        return x * (d / (4 * (v + 1e-4)) + 0.5).sigmoid()


class Coord(nn.Module):
    """Coordinate attention (Hou et al. 2021)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        width = max(8, channels // 32)
        self.squeeze = nn.Sequential(nn.Conv2d(channels, width, 1), nn.BatchNorm2d(width), nn.Hardswish())
        self.rows, self.columns = nn.Conv2d(width, channels, 1), nn.Conv2d(width, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h, w = x.shape[2:]
        both = torch.cat([x.mean(3, keepdim=True), x.mean(2, keepdim=True).transpose(2, 3)], 2)
        rows, columns = self.squeeze(both).split([h, w], 2)
        return x * self.rows(rows).sigmoid() * self.columns(columns.transpose(2, 3)).sigmoid()


class Shuffle(nn.Module):
    """Shuffle attention (Zhang & Yang 2021)."""

    def __init__(self, channels: int, size: int, groups: int = 64):
        super().__init__()
        self.groups = math.gcd(groups, channels // 2)
        half = channels // (2 * self.groups)
        make = lambda value: nn.Parameter(torch.full((1, half, 1, 1), value))  # noqa: E731
        self.cw, self.cb, self.sw, self.sb = make(0.0), make(1.0), make(0.0), make(1.0)
        self.norm = nn.GroupNorm(half, half)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, c, h, w = x.shape
        x0, x1 = x.reshape(n * self.groups, -1, h, w).chunk(2, 1)
        x0 = x0 * (self.cw * avg(x0) + self.cb).sigmoid()
        x1 = x1 * (self.sw * self.norm(x1) + self.sb).sigmoid()
        out = torch.cat([x0, x1], 1).reshape(n, c, h, w)
        return out.reshape(n, 2, -1, h, w).transpose(1, 2).reshape(n, c, h, w)


class SCSE(nn.Module):
    """Concurrent spatial and channel squeeze-and-excitation (Roy et al. 2018)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        self.se, self.conv = SE(channels, size, 2), nn.Conv2d(channels, 1, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.se(x) + x * self.conv(x).sigmoid()
