"""Gates with one value per channel, in PyTorch."""

import torch
from torch import nn
from torch.nn import functional as F

from .layers import avg, eca_kernel, hidden, pointwise


class SE(nn.Module):
    """Squeeze-and-excitation (Hu et al. 2018)."""

    def __init__(self, channels: int, size: int, reduction: int = 16, bias: bool = True):
        super().__init__()
        self.mlp = pointwise(channels, hidden(channels, reduction), bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.mlp(avg(x)).sigmoid()


class ECA(nn.Module):
    """Efficient channel attention (Wang et al. 2020)."""

    padding: str = "zeros"

    def __init__(self, channels: int, size: int):
        super().__init__()
        k = eca_kernel(channels)
        self.conv = nn.Conv1d(1, 1, k, padding=k // 2, bias=False, padding_mode=self.padding)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = self.conv(x.mean((2, 3)).unsqueeze(1)).sigmoid()
        return x * gate.transpose(1, 2).unsqueeze(3)


class CECA(ECA):
    """ECA with circular padding."""

    padding: str = "circular"


class ECAMLP(nn.Module):
    """ECA with a hidden layer."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        k, width = eca_kernel(channels), hidden(channels, 8)
        self.squeeze, self.conv = nn.Conv1d(1, width, 1), nn.Conv1d(width, 1, k, padding=k // 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = self.conv(self.squeeze(x.mean((2, 3)).unsqueeze(1)).relu()).sigmoid()
        return x * gate.transpose(1, 2).unsqueeze(3)


class ECANS(nn.Module):
    """ECA whose kernels are not shared by the channels."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        self.k = eca_kernel(channels)
        self.conv = nn.Conv1d(channels, channels, self.k, groups=channels, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        line = x.mean((2, 3)).unsqueeze(1).unsqueeze(3)
        near = F.unfold(line.transpose(2, 3), (1, self.k), padding=(0, self.k // 2)).transpose(1, 2)
        return x * self.conv(near).sigmoid().unsqueeze(3)


class GEThetaMinus(nn.Module):
    """Gather-excite without parameters (Hu et al. 2018)."""

    def __init__(self, channels: int, size: int):
        super().__init__()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * avg(x).sigmoid()


class GETheta(nn.Module):
    """Gather-excite with a global depthwise convolution."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        self.gather = nn.Sequential(
            nn.Conv2d(channels, channels, size, groups=channels, bias=False), nn.BatchNorm2d(channels)
        )
        self.mlp = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.mlp(self.gather(x)).sigmoid()


class GEThetaPlus(GETheta):
    """Gather-excite with that convolution and an MLP."""

    def __init__(self, channels: int, size: int):
        super().__init__(channels, size)
        self.mlp = pointwise(channels, hidden(channels, 16), bias=False)


class ESE(nn.Module):
    """Effective squeeze-and-excitation (Lee & Park 2020)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        self.fc = nn.Conv2d(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * F.hardsigmoid(self.fc(avg(x)))


class GCT(nn.Module):
    """Gated channel transformation (Yang et al. 2020)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        g = (x.pow(2).sum((2, 3), keepdim=True) + 1e-5).sqrt() * self.alpha
        normal = self.gamma / (g.pow(2).mean(1, keepdim=True) + 1e-5).sqrt()
        return x * (1 + (g * normal + self.beta).tanh())


class GRN(nn.Module):
    """Global response normalization (Woo et al. 2023)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        g = x.norm(2, (2, 3), keepdim=True)
        return x + self.gamma * x * (g / (g.mean(1, keepdim=True) + 1e-6)) + self.beta


class SRM(nn.Module):
    """Style-based recalibration (Lee et al. 2019)."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, channels, 2))
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        style = torch.stack([x.mean((2, 3)), (x.var((2, 3)) + 1e-5).sqrt()], 2)
        return x * self.norm((style * self.weight).sum(2)[:, :, None, None]).sigmoid()


class FCA(nn.Module):
    """Frequency channel attention (Qin et al. 2021); its cosines are random here, which does not change the time."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        self.register_buffer("cosines", torch.randn(1, channels, size, size))
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden(channels, 16), bias=False), nn.ReLU(),
            nn.Linear(hidden(channels, 16), channels, bias=False),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.mlp((x * self.cosines).sum((2, 3))).sigmoid()[:, :, None, None]


class DIA(nn.Module):
    """Dense-and-implicit attention (Huang et al. 2020), one step of its LSTM."""

    def __init__(self, channels: int, size: int, reduction: int = 4):
        super().__init__()
        width = hidden(channels, reduction)
        make = lambda: nn.Sequential(  # noqa: E731
            nn.Linear(channels, width), nn.ReLU(), nn.Linear(width, 4 * channels)
        )
        self.of_input, self.of_hidden = make(), make()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled = x.mean((2, 3))
        h = c = torch.zeros_like(pooled)
        i, f, g, o = (self.of_input(pooled) + self.of_hidden(h)).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return x * (o.sigmoid() * c.sigmoid())[:, :, None, None]
