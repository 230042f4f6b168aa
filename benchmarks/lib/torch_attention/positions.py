"""Self-attention with relative positions, in PyTorch."""

import torch
from torch import nn
from torch.nn import functional as F


def relative(
    logits: torch.Tensor, q: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor, size: int
) -> torch.Tensor:
    """Add q·r for the row and column distances of all pairs to `logits` (N,heads,HW,HW); `q` is (N,heads,HW,d)."""
    n, heads, area, d = q.shape
    near = torch.arange(size)
    distance = near[None] - near[:, None] + size - 1
    q = q.view(n, heads, size, size, d)
    by_row = torch.einsum("nhijd,ikd->nhijk", q, rows[distance])
    by_column = torch.einsum("nhijd,jld->nhijl", q, columns[distance])
    both = by_row.unsqueeze(5) + by_column.unsqueeze(4)
    return logits + both.reshape(n, heads, area, area)


class FA(nn.Module):
    """Fully attentional: stand-alone self-attention (Ramachandran et al. 2019)."""

    def __init__(self, channels: int, size: int, k: int = 7, heads: int = 8):
        super().__init__()
        self.k, self.heads = k, heads
        self.q, self.key, self.v = (nn.Conv2d(channels, channels, 1, bias=False) for _ in range(3))
        half = channels // heads // 2
        self.rows = nn.Parameter(torch.randn(half, k, 1))
        self.columns = nn.Parameter(torch.randn(channels // heads - half, 1, k))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, c, h, w = x.shape
        q = self.q(x).view(n, self.heads, -1, 1, h * w)
        keys, values = (
            F.unfold(layer(x), self.k, padding=self.k // 2).view(n, self.heads, -1, self.k**2, h * w)
            for layer in (self.key, self.v)
        )
        positions = torch.cat([self.rows.expand(-1, -1, self.k), self.columns.expand(-1, self.k, -1)]).flatten(1)
        weights = (q * (keys + positions[None, None, :, :, None])).sum(2, keepdim=True).softmax(3)
        return (weights * values).sum(3).view(n, c, h, w)


class BoT(nn.Module):
    """Multi-head self-attention of bottleneck transformers (Srinivas et al. 2021)."""

    def __init__(self, channels: int, size: int, heads: int = 4):
        super().__init__()
        self.heads, self.size, d = heads, size, channels // heads
        self.qkv = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.rows, self.columns = (nn.Parameter(torch.randn(2 * size - 1, d) * d**-0.5) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(x).unflatten(1, (3, self.heads, -1)).flatten(4).unbind(1)
        q = q.transpose(2, 3)
        logits = relative(q @ k * q.shape[3] ** -0.5, q, self.rows, self.columns, self.size)
        return (v @ logits.softmax(3).transpose(2, 3)).reshape(x.shape)


class AA(nn.Module):
    """Attention-augmented convolution (Bello et al. 2019)."""

    def __init__(self, channels: int, size: int, heads: int = 8):
        super().__init__()
        self.dv = max(heads, int(0.1 * channels) // heads * heads)
        self.dk = max(20 * heads, int(0.2 * channels) // heads * heads)
        self.heads, self.size = heads, size
        self.conv = nn.Conv2d(channels, channels - self.dv, 3, padding=1, bias=False)
        self.qkv = nn.Conv2d(channels, 2 * self.dk + self.dv, 1, bias=False)
        self.out = nn.Conv2d(self.dv, self.dv, 1, bias=False)
        d = self.dk // heads
        self.rows, self.columns = (nn.Parameter(torch.randn(2 * size - 1, d) * d**-0.5) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = (
            part.unflatten(1, (self.heads, -1)).flatten(3) for part in self.qkv(x).split([self.dk, self.dk, self.dv], 1)
        )
        q = q.transpose(2, 3) * (self.dk // self.heads) ** -0.5
        logits = relative(q @ k, q, self.rows, self.columns, self.size)
        mixed = (v @ logits.softmax(3).transpose(2, 3)).flatten(1, 2).unflatten(2, x.shape[2:])
        return torch.cat([self.conv(x), self.out(mixed)], 1)


class Halo(nn.Module):
    """Blocked local self-attention of HaloNet (Vaswani et al. 2021)."""

    def __init__(self, channels: int, size: int, block: int = 8, halo: int = 3, heads: int = 8):
        super().__init__()
        self.block, self.halo, self.heads, self.size = block, halo, heads, size
        self.q = nn.Conv2d(channels, channels, 1, bias=False)
        self.kv = nn.Conv2d(channels, 2 * channels, 1, bias=False)
        d, window = channels // heads, block + 2 * halo
        self.rows, self.columns = (nn.Parameter(torch.randn(window + block - 1, d) * d**-0.5) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
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
    """Lambda layer (Bello 2021)."""

    def __init__(self, channels: int, size: int, heads: int = 4, depth: int = 16, reach: int = 23):
        super().__init__()
        self.heads, self.depth, width = heads, depth, channels // heads
        self.qkv = nn.Conv2d(channels, heads * depth + depth + width, 1, bias=False)
        self.norm_q, self.norm_v = nn.BatchNorm2d(heads * depth), nn.BatchNorm2d(width)
        self.positions = nn.Conv2d(1, depth, reach, padding=reach // 2, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, c, h, w = x.shape
        width = c // self.heads
        q, k, v = self.qkv(x).split([self.heads * self.depth, self.depth, width], 1)
        q, v = self.norm_q(q).view(n, self.heads, self.depth, h * w), self.norm_v(v)
        content = k.flatten(2).softmax(2) @ v.flatten(2).transpose(1, 2)
        of_content = torch.einsum("nhkp,nkv->nhvp", q, content)
        positions = self.positions(v.reshape(n * width, 1, h, w)).view(n, width, self.depth, h * w)
        return (of_content + torch.einsum("nhkp,nvkp->nhvp", q, positions)).reshape(n, c, h, w)
