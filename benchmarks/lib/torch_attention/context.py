"""Attention to all positions or channels at once, without relative positions, in PyTorch."""

import torch
from torch import nn

from .layers import avg, hidden


class A2(nn.Module):
    """Double attention (Chen et al. 2018)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        width = max(1, channels // 4)
        self.a, self.b, self.v = (nn.Conv2d(channels, width, 1) for _ in range(3))
        self.z = nn.Conv2d(width, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a, b, v = self.a(x).flatten(2), self.b(x).flatten(2).softmax(2), self.v(x).flatten(2).softmax(1)
        return x + self.z((a @ b.transpose(1, 2) @ v).unflatten(2, x.shape[2:]))


class NonLocal(nn.Module):
    """Non-local block (Wang et al. 2018)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        width = max(1, channels // 2)
        self.theta, self.phi, self.g = (nn.Conv2d(channels, width, 1) for _ in range(3))
        self.out = nn.Sequential(nn.Conv2d(width, channels, 1), nn.BatchNorm2d(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = (layer(x).flatten(2) for layer in (self.theta, self.phi, self.g))
        weights = (q.transpose(1, 2) @ k).softmax(2)
        return x + self.out((v @ weights.transpose(1, 2)).unflatten(2, x.shape[2:]))


class External(nn.Module):
    """External attention (Guo et al. 2021)."""

    def __init__(self, channels: int, size: int, width: int = 64):
        super().__init__()
        self.keys, self.values = nn.Conv1d(channels, width, 1, bias=False), nn.Conv1d(width, channels, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weights = self.keys(x.flatten(2)).softmax(2)
        return x + self.values(weights / (1e-9 + weights.sum(1, keepdim=True))).unflatten(2, x.shape[2:])


class PAM(nn.Module):
    """DANet's position attention."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        width = hidden(channels, 8)
        self.q, self.k, self.v = (
            nn.Conv2d(channels, width, 1),
            nn.Conv2d(channels, width, 1),
            nn.Conv2d(channels, channels, 1),
        )
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weights = (self.q(x).flatten(2).transpose(1, 2) @ self.k(x).flatten(2)).softmax(2)
        return x + self.gamma * (self.v(x).flatten(2) @ weights.transpose(1, 2)).view_as(x)


class CAM(nn.Module):
    """DANet's channel attention."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = x.flatten(2)
        energy = rows @ rows.transpose(1, 2)
        weights = (energy.amax(2, keepdim=True) - energy).softmax(2)
        return x + self.gamma * (weights @ rows).view_as(x)


class DANet(nn.Module):
    """Dual attention (Fu et al. 2019)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        self.pam, self.cam = PAM(channels, size), CAM(channels, size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.pam(x) + self.cam(x)


class GC(nn.Module):
    """Global context as a gate (Cao et al. 2019)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        width = hidden(channels, 8)
        self.key = nn.Conv2d(channels, 1, 1, bias=False)
        self.squeeze, self.norm = nn.Conv2d(channels, width, 1), nn.LayerNorm(width)
        self.expand = nn.Conv2d(width, channels, 1)

    def context(self, x: torch.Tensor) -> torch.Tensor:
        """Return the context (N,C,1,1): a weighted mean of all positions, transformed."""
        weights = self.key(x).flatten(2).softmax(2).transpose(1, 2)
        squeezed = self.squeeze((x.flatten(2) @ weights).unsqueeze(3))
        return self.expand(self.norm(squeezed.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).relu())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.context(x).sigmoid()


class GCA(GC):
    """Global context that is added."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.context(x)


class PolarizedChannel(nn.Module):
    """The channel gate of polarized self-attention (Liu et al. 2021)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        half = channels // 2
        self.value, self.query = nn.Conv2d(channels, half, 1), nn.Conv2d(channels, 1, 1)
        self.expand, self.norm = nn.Conv2d(half, channels, 1), nn.LayerNorm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weights = self.query(x).flatten(2).softmax(2).transpose(1, 2)
        context = self.expand((self.value(x).flatten(2) @ weights).unsqueeze(3))
        return x * self.norm(context.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).sigmoid()


class PolarizedSpatial(nn.Module):
    """The spatial gate of polarized self-attention."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        half = channels // 2
        self.value, self.query = nn.Conv2d(channels, half, 1), nn.Conv2d(channels, half, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weights = avg(self.query(x)).flatten(2).softmax(1).transpose(1, 2)
        gate = (weights @ self.value(x).flatten(2)).unflatten(2, x.shape[2:])
        return x * gate.sigmoid()


class PolarizedParallel(nn.Module):
    """The sum of both."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        self.channel, self.space = PolarizedChannel(channels, size), PolarizedSpatial(channels, size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.channel(x) + self.space(x)


class PolarizedSequential(nn.Sequential):
    """The one after the other."""

    def __init__(self, channels: int, size: int):
        super().__init__(PolarizedChannel(channels, size), PolarizedSpatial(channels, size))
