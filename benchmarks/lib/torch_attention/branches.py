"""Weighted branches, mixed blocks of pixels and the published cell of ANAS, in PyTorch."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from .layers import avg, cba


class SK(nn.Module):
    """Selective kernels (Li et al. 2019)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        width, groups = max(channels // 16, 32), math.gcd(32, channels)
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, channels, 3, padding=d, dilation=d, groups=groups, bias=False),
                nn.BatchNorm2d(channels), nn.ReLU(),
            ) for d in (1, 2)
        )  # fmt: skip
        self.squeeze = nn.Sequential(nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.select = nn.Conv2d(width, 2 * channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = torch.stack([branch(x) for branch in self.branches], 1)
        weights = self.select(self.squeeze(avg(maps.sum(1)))).unflatten(1, (2, -1)).softmax(1)
        return (maps * weights).sum(1)


class Split(nn.Module):
    """Split attention of ResNeSt (Zhang et al. 2020)."""

    def __init__(self, channels: int, size: int, radix: int = 2):
        super().__init__()
        width = max(channels * radix // 4, 32)
        self.radix = radix
        self.conv = nn.Sequential(
            nn.Conv2d(channels, channels * radix, 3, padding=1, groups=radix, bias=False),
            nn.BatchNorm2d(channels * radix), nn.ReLU(),
        )  # fmt: skip
        self.fc = nn.Sequential(
            nn.Conv2d(channels, width, 1), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, channels * radix, 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.conv(x).unflatten(1, (self.radix, -1))
        return (maps * self.fc(avg(maps.sum(1))).unflatten(1, (self.radix, -1)).softmax(1)).sum(1)


class PSA(nn.Module):
    """Pyramid squeeze attention of EPSANet (Zhang et al. 2021)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        part = channels // 4
        self.convs = nn.ModuleList(
            nn.Conv2d(channels, part, k, padding=k // 2, groups=math.gcd(g, part), bias=False)
            for k, g in ((3, 1), (5, 4), (7, 8), (9, 16))
        )
        width = max(1, part // 16)
        self.se = nn.Sequential(nn.Conv2d(part, width, 1), nn.ReLU(), nn.Conv2d(width, part, 1), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = torch.stack([conv(x) for conv in self.convs], 1)
        weights = torch.stack([self.se(avg(part)) for part in maps.unbind(1)], 1).softmax(1)
        return (maps * weights).flatten(1, 2)


class CoT(nn.Module):
    """Contextual transformer (Li et al. 2021)."""

    def __init__(self, channels: int, size: int, share: int = 8):
        super().__init__()
        self.share, width, fused = share, channels // 2, max(channels // 2, 32)
        self.key = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, groups=4, bias=False), nn.BatchNorm2d(channels), nn.ReLU()
        )
        self.value = nn.Sequential(nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels))
        self.embed = nn.Sequential(
            nn.Conv2d(2 * channels, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, 9 * channels // share, 1), nn.GroupNorm(channels // share, 9 * channels // share),
        )  # fmt: skip
        self.norm = nn.Sequential(nn.BatchNorm2d(channels), nn.SiLU())
        self.fuse = nn.Sequential(
            nn.Conv2d(channels, fused, 1), nn.BatchNorm2d(fused), nn.ReLU(), nn.Conv2d(fused, 2 * channels, 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, c, h, w = x.shape
        static = self.key(x)
        weights = self.embed(torch.cat([x, static], 1)).view(n, c // self.share, 1, 9, h, w)
        near = F.unfold(self.value(x), 3, padding=1).view(n, c // self.share, self.share, 9, h, w)
        both = torch.stack([static, self.norm((near * weights).sum(3).view(n, c, h, w))], 1)
        return (both * self.fuse(avg(both.sum(1))).unflatten(1, (2, -1)).softmax(1)).sum(1)


class BAT(nn.Module):
    """Bilinear attentional transforms (Chi et al. 2020)."""

    def __init__(self, channels: int, size: int, block: int = 7, groups: int = 2):
        super().__init__()
        width = channels // 4
        self.block, self.groups, self.pad = block, groups, -size % block
        self.squeeze, self.expand = cba(channels, width), cba(width, channels)
        self.maps, self.mix = cba(width, groups), cba(width, width)
        self.rows = nn.Conv2d(groups, groups * block**2, (block, 1))
        self.columns = nn.Conv2d(groups, groups * block**2, (1, block))
        self.dropout = nn.Dropout2d(0.2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b, g = self.block, self.groups
        z = F.pad(self.squeeze(x), (0, self.pad, 0, self.pad))
        m = F.pad(self.maps(self.squeeze(x)), (0, self.pad, 0, self.pad))
        n, c, h, w = z.shape
        p = self.rows(F.adaptive_max_pool2d(m, (b, 1))).sigmoid().view(n, g, b, b)
        q = self.columns(F.adaptive_max_pool2d(m, (1, b))).sigmoid().view(n, g, b, b)
        p, q = p / p.sum(3, keepdim=True), q / q.sum(2, keepdim=True)
        p, q = (part.repeat_interleave(c // g, 1).unsqueeze(2) for part in (p, q))
        tiles = z.view(n, c, b, h // b, b, w // b).permute(0, 1, 3, 5, 2, 4).reshape(n, c, -1, b, b)
        mixed = (p @ tiles @ q).view(n, c, h // b, w // b, b, b).permute(0, 1, 4, 2, 5, 3).reshape(n, c, h, w)
        return x + self.dropout(self.expand(self.mix(mixed[:, :, : x.shape[2], : x.shape[3]])))


class ANAS(nn.Module):
    """The published cell of ANAS (Attention-guided neural architecture search)."""

    def __init__(self, channels: int, size: int):
        super().__init__()

        def depthwise(dilation, steps):
            layers = []
            for _ in range(steps):
                near = {"padding": dilation, "dilation": dilation, "groups": channels, "bias": False}
                layers += [nn.ReLU(), nn.Conv2d(channels, channels, 3, **near)]
                layers += [nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels)]
            return nn.Sequential(*layers)

        self.first, self.second, self.third = depthwise(2, 1), depthwise(2, 1), depthwise(1, 2)
        self.fc = nn.ModuleList(nn.Linear(2 * channels, channels) for _ in range(2))
        self.conv = nn.Conv2d(2, 1, 1, bias=False)

    def channel(self, x: torch.Tensor, fc: nn.Module) -> torch.Tensor:
        """Score channels from their means and maxima."""
        return fc(torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1))[:, :, None, None].expand_as(x)

    def spatial(self, x: torch.Tensor) -> torch.Tensor:
        """Score positions from mean and maximum over the channels."""
        return self.conv(torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)).expand_as(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a = self.first(x) + self.second(x)
        b = self.third(x) + self.channel(a, self.fc[0])
        c = self.spatial(a) + self.channel(b, self.fc[1])
        return x * (a + b + c).sigmoid()
