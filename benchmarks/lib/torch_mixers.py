"""Attention modules in PyTorch that mix positions or stand for a convolution, written plainly; see `torch_gates`."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from .torch_gates import avg, hidden


class A2(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        width = max(1, channels // 4)
        self.a, self.b, self.v = (nn.Conv2d(channels, width, 1) for _ in range(3))
        self.z = nn.Conv2d(width, channels, 1)

    def forward(self, x):
        a, b, v = self.a(x).flatten(2), self.b(x).flatten(2).softmax(2), self.v(x).flatten(2).softmax(1)
        return x + self.z((a @ b.transpose(1, 2) @ v).unflatten(2, x.shape[2:]))


class NonLocal(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        width = max(1, channels // 2)
        self.theta, self.phi, self.g = (nn.Conv2d(channels, width, 1) for _ in range(3))
        self.out = nn.Sequential(nn.Conv2d(width, channels, 1), nn.BatchNorm2d(channels))

    def forward(self, x):
        q, k, v = (layer(x).flatten(2) for layer in (self.theta, self.phi, self.g))
        share = (q.transpose(1, 2) @ k).softmax(2)
        return x + self.out((v @ share.transpose(1, 2)).unflatten(2, x.shape[2:]))


class External(nn.Module):
    def __init__(self, channels, size, width=64):
        super().__init__()
        self.keys, self.values = nn.Conv1d(channels, width, 1, bias=False), nn.Conv1d(width, channels, 1, bias=False)

    def forward(self, x):
        share = self.keys(x.flatten(2)).softmax(2)
        return x + self.values(share / (1e-9 + share.sum(1, keepdim=True))).unflatten(2, x.shape[2:])


class PAM(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        width = hidden(channels, 8)
        self.q, self.k, self.v = (
            nn.Conv2d(channels, width, 1),
            nn.Conv2d(channels, width, 1),
            nn.Conv2d(channels, channels, 1),
        )
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        share = (self.q(x).flatten(2).transpose(1, 2) @ self.k(x).flatten(2)).softmax(2)
        return x + self.gamma * (self.v(x).flatten(2) @ share.transpose(1, 2)).view_as(x)


class CAM(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        rows = x.flatten(2)
        energy = rows @ rows.transpose(1, 2)
        share = (energy.amax(2, keepdim=True) - energy).softmax(2)
        return x + self.gamma * (share @ rows).view_as(x)


class DANet(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.pam, self.cam = PAM(channels, size), CAM(channels, size)

    def forward(self, x):
        return self.pam(x) + self.cam(x)


class SK(nn.Module):
    def __init__(self, channels, size):
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

    def forward(self, x):
        maps = torch.stack([branch(x) for branch in self.branches], 1)
        share = self.select(self.squeeze(avg(maps.sum(1)))).unflatten(1, (2, -1)).softmax(1)
        return (maps * share).sum(1)


class Split(nn.Module):
    def __init__(self, channels, size, radix=2):
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

    def forward(self, x):
        maps = self.conv(x).unflatten(1, (self.radix, -1))
        return (maps * self.fc(avg(maps.sum(1))).unflatten(1, (self.radix, -1)).softmax(1)).sum(1)


class PSA(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        part = channels // 4
        self.convs = nn.ModuleList(
            nn.Conv2d(channels, part, k, padding=k // 2, groups=math.gcd(g, part), bias=False)
            for k, g in ((3, 1), (5, 4), (7, 8), (9, 16))
        )
        width = max(1, part // 16)
        self.se = nn.Sequential(nn.Conv2d(part, width, 1), nn.ReLU(), nn.Conv2d(width, part, 1), nn.Sigmoid())

    def forward(self, x):
        maps = torch.stack([conv(x) for conv in self.convs], 1)
        share = torch.stack([self.se(avg(part)) for part in maps.unbind(1)], 1).softmax(1)
        return (maps * share).flatten(1, 2)


class CoT(nn.Module):
    def __init__(self, channels, size, share=8):
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

    def forward(self, x):
        n, c, h, w = x.shape
        static = self.key(x)
        weights = self.embed(torch.cat([x, static], 1)).view(n, c // self.share, 1, 9, h, w)
        near = F.unfold(self.value(x), 3, padding=1).view(n, c // self.share, self.share, 9, h, w)
        both = torch.stack([static, self.norm((near * weights).sum(3).view(n, c, h, w))], 1)
        return (both * self.fuse(avg(both.sum(1))).unflatten(1, (2, -1)).softmax(1)).sum(1)


class FA(nn.Module):
    def __init__(self, channels, size, k=7, heads=8):
        super().__init__()
        self.k, self.heads = k, heads
        self.q, self.key, self.v = (nn.Conv2d(channels, channels, 1, bias=False) for _ in range(3))
        half = channels // heads // 2
        self.rows = nn.Parameter(torch.randn(half, k, 1))
        self.columns = nn.Parameter(torch.randn(channels // heads - half, 1, k))

    def forward(self, x):
        n, c, h, w = x.shape
        q = self.q(x).view(n, self.heads, -1, 1, h * w)
        keys, values = (
            F.unfold(layer(x), self.k, padding=self.k // 2).view(n, self.heads, -1, self.k**2, h * w)
            for layer in (self.key, self.v)
        )
        places = torch.cat([self.rows.expand(-1, -1, self.k), self.columns.expand(-1, self.k, -1)]).flatten(1)
        share = (q * (keys + places[None, None, :, :, None])).sum(2, keepdim=True).softmax(3)
        return (share * values).sum(3).view(n, c, h, w)


def relative(logits, q, rows, columns, size):
    """Adds q.r for the row and column distances of all pairs; q is N,heads,HW,d."""
    n, heads, area, d = q.shape
    near = torch.arange(size)
    distance = near[None] - near[:, None] + size - 1
    q = q.view(n, heads, size, size, d)
    by_row = torch.einsum("nhijd,ikd->nhijk", q, rows[distance])
    by_column = torch.einsum("nhijd,jld->nhijl", q, columns[distance])
    both = by_row.unsqueeze(5) + by_column.unsqueeze(4)
    return logits + both.reshape(n, heads, area, area)


class BoT(nn.Module):
    def __init__(self, channels, size, heads=4):
        super().__init__()
        self.heads, self.size, d = heads, size, channels // heads
        self.qkv = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.rows, self.columns = (nn.Parameter(torch.randn(2 * size - 1, d) * d**-0.5) for _ in range(2))

    def forward(self, x):
        q, k, v = self.qkv(x).unflatten(1, (3, self.heads, -1)).flatten(4).unbind(1)
        q = q.transpose(2, 3)
        logits = relative(q @ k * q.shape[3] ** -0.5, q, self.rows, self.columns, self.size)
        return (v @ logits.softmax(3).transpose(2, 3)).reshape(x.shape)


class AA(nn.Module):
    def __init__(self, channels, size, heads=8):
        super().__init__()
        self.dv = max(heads, int(0.1 * channels) // heads * heads)
        self.dk = max(20 * heads, int(0.2 * channels) // heads * heads)
        self.heads, self.size = heads, size
        self.conv = nn.Conv2d(channels, channels - self.dv, 3, padding=1, bias=False)
        self.qkv = nn.Conv2d(channels, 2 * self.dk + self.dv, 1, bias=False)
        self.out = nn.Conv2d(self.dv, self.dv, 1, bias=False)
        d = self.dk // heads
        self.rows, self.columns = (nn.Parameter(torch.randn(2 * size - 1, d) * d**-0.5) for _ in range(2))

    def forward(self, x):
        q, k, v = (
            part.unflatten(1, (self.heads, -1)).flatten(3) for part in self.qkv(x).split([self.dk, self.dk, self.dv], 1)
        )
        q = q.transpose(2, 3) * (self.dk // self.heads) ** -0.5
        logits = relative(q @ k, q, self.rows, self.columns, self.size)
        mixed = (v @ logits.softmax(3).transpose(2, 3)).flatten(1, 2).unflatten(2, x.shape[2:])
        return torch.cat([self.conv(x), self.out(mixed)], 1)


class Halo(nn.Module):
    def __init__(self, channels, size, block=8, halo=3, heads=8):
        super().__init__()
        self.block, self.halo, self.heads, self.size = block, halo, heads, size
        self.q = nn.Conv2d(channels, channels, 1, bias=False)
        self.kv = nn.Conv2d(channels, 2 * channels, 1, bias=False)
        d, window = channels // heads, block + 2 * halo
        self.rows, self.columns = (nn.Parameter(torch.randn(window + block - 1, d) * d**-0.5) for _ in range(2))

    def forward(self, x):
        n, c, h, w = x.shape
        b, window, d = self.block, self.block + 2 * self.halo, c // self.heads
        q = F.unfold(self.q(x), b, stride=b).view(n, self.heads, d, b * b, -1).permute(0, 1, 4, 3, 2)
        kv = F.unfold(self.kv(x), window, stride=b, padding=self.halo)
        kv = kv.view(n, 2, self.heads, d, window**2, -1).permute(1, 0, 2, 5, 3, 4)
        near = torch.arange(window)[None] - torch.arange(b)[:, None] + b - 1
        parts = q.unflatten(3, (b, b))
        by_row = torch.einsum("nhgijd,ikd->nhgijk", parts, self.rows[near]).unsqueeze(6)
        by_column = torch.einsum("nhgijd,jld->nhgijl", parts, self.columns[near]).unsqueeze(5)
        logits = q @ kv[0] * d**-0.5 + (by_row + by_column).flatten(3, 4).flatten(4)
        out = logits.softmax(4) @ kv[1].transpose(3, 4)
        return F.fold(out.permute(0, 1, 4, 3, 2).reshape(n, c * b * b, -1), (h, w), b, stride=b)


class Lambda(nn.Module):
    def __init__(self, channels, size, heads=4, depth=16, reach=23):
        super().__init__()
        self.heads, self.depth, width = heads, depth, channels // heads
        self.qkv = nn.Conv2d(channels, heads * depth + depth + width, 1, bias=False)
        self.norm_q, self.norm_v = nn.BatchNorm2d(heads * depth), nn.BatchNorm2d(width)
        self.places = nn.Conv2d(1, depth, reach, padding=reach // 2, bias=False)

    def forward(self, x):
        n, c, h, w = x.shape
        width = c // self.heads
        q, k, v = self.qkv(x).split([self.heads * self.depth, self.depth, width], 1)
        q, v = self.norm_q(q).view(n, self.heads, self.depth, h * w), self.norm_v(v)
        content = k.flatten(2).softmax(2) @ v.flatten(2).transpose(1, 2)
        of_content = torch.einsum("nhkp,nkv->nhvp", q, content)
        places = self.places(v.reshape(n * width, 1, h, w)).view(n, width, self.depth, h * w)
        return (of_content + torch.einsum("nhkp,nvkp->nhvp", q, places)).reshape(n, c, h, w)


def cba(inside, outside):
    return nn.Sequential(nn.Conv2d(inside, outside, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU())


class BAT(nn.Module):
    def __init__(self, channels, size, block=7, groups=2):
        super().__init__()
        width = channels // 4
        self.block, self.groups, self.pad = block, groups, -size % block
        self.squeeze, self.expand = cba(channels, width), cba(width, channels)
        self.maps, self.mix = cba(width, groups), cba(width, width)
        self.rows = nn.Conv2d(groups, groups * block**2, (block, 1))
        self.columns = nn.Conv2d(groups, groups * block**2, (1, block))
        self.dropout = nn.Dropout2d(0.2)

    def forward(self, x):
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
    """The published cell."""

    def __init__(self, channels, size):
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

    def channel(self, x, fc):
        return fc(torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1))[:, :, None, None].expand_as(x)

    def spatial(self, x):
        return self.conv(torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)).expand_as(x)

    def forward(self, x):
        a = self.first(x) + self.second(x)
        b = self.third(x) + self.channel(a, self.fc[0])
        c = self.spatial(a) + self.channel(b, self.fc[1])
        return x * (a + b + c).sigmoid()
