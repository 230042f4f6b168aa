"""Attention modules in PyTorch that gate or shift a map: the formulas written down plainly, as the peers' code does.

Every class is made as `Name(channels, size)` with our defaults; size is the height and width of the map.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F


def hidden(channels, reduction):
    return max(1, channels // reduction)


def pointwise(channels, width, norm=False, bias=True):
    layers = [nn.Conv2d(channels, width, 1, bias=bias), nn.ReLU(), nn.Conv2d(width, channels, 1, bias=bias)]
    if norm:
        layers[1:1], layers[4:] = [nn.BatchNorm2d(width)], [nn.BatchNorm2d(channels)]
    return nn.Sequential(*layers)


def avg(x):
    return x.mean((2, 3), keepdim=True)


def eca_kernel(channels):
    size = int(abs((math.log2(channels) + 1) / 2))
    return size if size % 2 else size + 1


class SE(nn.Module):
    def __init__(self, channels, size, reduction=16, bias=True):
        super().__init__()
        self.mlp = pointwise(channels, hidden(channels, reduction), bias=bias)

    def forward(self, x):
        return x * self.mlp(avg(x)).sigmoid()


class ECA(nn.Module):
    padding = "zeros"

    def __init__(self, channels, size):
        super().__init__()
        k = eca_kernel(channels)
        self.conv = nn.Conv1d(1, 1, k, padding=k // 2, bias=False, padding_mode=self.padding)

    def forward(self, x):
        gate = self.conv(x.mean((2, 3)).unsqueeze(1)).sigmoid()
        return x * gate.transpose(1, 2).unsqueeze(3)


class CECA(ECA):
    padding = "circular"


class ECAMLP(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        k, width = eca_kernel(channels), hidden(channels, 8)
        self.squeeze, self.conv = nn.Conv1d(1, width, 1), nn.Conv1d(width, 1, k, padding=k // 2)

    def forward(self, x):
        gate = self.conv(self.squeeze(x.mean((2, 3)).unsqueeze(1)).relu()).sigmoid()
        return x * gate.transpose(1, 2).unsqueeze(3)


class ECANS(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.k = eca_kernel(channels)
        self.conv = nn.Conv1d(channels, channels, self.k, groups=channels, bias=False)

    def forward(self, x):
        line = x.mean((2, 3)).unsqueeze(1).unsqueeze(3)
        near = F.unfold(line.transpose(2, 3), (1, self.k), padding=(0, self.k // 2)).transpose(1, 2)
        return x * self.conv(near).sigmoid().unsqueeze(3)


class CBAM(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.mlp = pointwise(channels, hidden(channels, 16))
        self.conv = nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1, momentum=0.01))

    def forward(self, x):
        x = x * (self.mlp(avg(x)) + self.mlp(x.amax((2, 3), keepdim=True))).sigmoid()
        return x * self.conv(torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)).sigmoid()


class LightCBAM(CBAM):
    def __init__(self, channels, size):
        super().__init__(channels, size)
        self.conv = nn.Sequential(nn.Conv2d(1, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1))

    def forward(self, x):
        x = x * self.mlp(0.5 * avg(x) + 0.5 * x.amax((2, 3), keepdim=True)).sigmoid()
        return x * self.conv(0.5 * x.mean(1, keepdim=True) + 0.5 * x.amax(1, keepdim=True)).sigmoid()


class BAM(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        width = hidden(channels, 16)
        self.channel = nn.Sequential(pointwise(channels, width), nn.BatchNorm2d(channels))
        dilated = {"kernel_size": 3, "padding": 4, "dilation": 4}
        self.space = nn.Sequential(
            nn.Conv2d(channels, width, 1), nn.ReLU(), nn.Conv2d(width, width, **dilated), nn.ReLU(),
            nn.Conv2d(width, width, **dilated), nn.ReLU(), nn.Conv2d(width, 1, 1), nn.BatchNorm2d(1),
        )  # fmt: skip

    def forward(self, x):
        return x * (1 + (self.channel(avg(x)) + self.space(x)).sigmoid())


class GEThetaMinus(nn.Module):
    def __init__(self, channels, size):
        super().__init__()

    def forward(self, x):
        return x * avg(x).sigmoid()


class GETheta(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.gather = nn.Sequential(
            nn.Conv2d(channels, channels, size, groups=channels, bias=False), nn.BatchNorm2d(channels)
        )
        self.mlp = nn.Identity()

    def forward(self, x):
        return x * self.mlp(self.gather(x)).sigmoid()


class GEThetaPlus(GETheta):
    def __init__(self, channels, size):
        super().__init__(channels, size)
        self.mlp = pointwise(channels, hidden(channels, 16), bias=False)


class SGE(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.groups = math.gcd(64, channels)
        self.weight = nn.Parameter(torch.zeros(1, self.groups, 1, 1))
        self.bias = nn.Parameter(torch.ones(1, self.groups, 1, 1))

    def forward(self, x):
        n, c, h, w = x.shape
        x = x.reshape(n * self.groups, -1, h, w)
        s = (x * avg(x)).sum(1).view(n, self.groups, h * w)
        s = s - s.mean(2, keepdim=True)
        t = (s / (s.std(2, keepdim=True) + 1e-5)).view(n, self.groups, h, w) * self.weight + self.bias
        return (x * t.view(n * self.groups, 1, h, w).sigmoid()).view(n, c, h, w)


class ChaATAC(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.mlp = pointwise(channels, hidden(channels, 2), norm=True, bias=False)

    def forward(self, x):
        return x * self.mlp(x).sigmoid()


class SpaATAC(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False), nn.BatchNorm2d(channels),
            nn.ReLU(), nn.Conv2d(channels, 1, 3, padding=1, bias=False), nn.BatchNorm2d(1),
        )  # fmt: skip

    def forward(self, x):
        return x * self.body(x).sigmoid()


class SeqATAC(nn.Sequential):
    def __init__(self, channels, size):
        super().__init__(ChaATAC(channels, size), SpaATAC(channels, size))


class Triplet(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.gates = nn.ModuleList(
            nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1, momentum=0.01)) for _ in range(3)
        )

    def gated(self, x, gate):
        return x * gate(torch.cat([x.max(1, keepdim=True)[0], x.mean(1, keepdim=True)], 1)).sigmoid()

    def forward(self, x):
        first = self.gated(x.permute(0, 2, 1, 3).contiguous(), self.gates[0]).permute(0, 2, 1, 3)
        second = self.gated(x.permute(0, 3, 2, 1).contiguous(), self.gates[1]).permute(0, 3, 2, 1)
        return (first + second + self.gated(x, self.gates[2])) / 3


class SimAM(nn.Module):
    def __init__(self, channels, size):
        super().__init__()

    def forward(self, x):
        d = (x - avg(x)).pow(2)
        v = d.sum((2, 3), keepdim=True) / (x.shape[2] * x.shape[3] - 1)
        return x * (d / (4 * (v + 1e-4)) + 0.5).sigmoid()


class Coord(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        width = max(8, channels // 32)
        self.squeeze = nn.Sequential(nn.Conv2d(channels, width, 1), nn.BatchNorm2d(width), nn.Hardswish())
        self.rows, self.columns = nn.Conv2d(width, channels, 1), nn.Conv2d(width, channels, 1)

    def forward(self, x):
        h, w = x.shape[2:]
        both = torch.cat([x.mean(3, keepdim=True), x.mean(2, keepdim=True).transpose(2, 3)], 2)
        rows, columns = self.squeeze(both).split([h, w], 2)
        return x * self.rows(rows).sigmoid() * self.columns(columns.transpose(2, 3)).sigmoid()


class Shuffle(nn.Module):
    def __init__(self, channels, size, groups=64):
        super().__init__()
        self.groups = math.gcd(groups, channels // 2)
        half = channels // (2 * self.groups)
        make = lambda value: nn.Parameter(torch.full((1, half, 1, 1), value))  # noqa: E731
        self.cw, self.cb, self.sw, self.sb = make(0.0), make(1.0), make(0.0), make(1.0)
        self.norm = nn.GroupNorm(half, half)

    def forward(self, x):
        n, c, h, w = x.shape
        x0, x1 = x.reshape(n * self.groups, -1, h, w).chunk(2, 1)
        x0 = x0 * (self.cw * avg(x0) + self.cb).sigmoid()
        x1 = x1 * (self.sw * self.norm(x1) + self.sb).sigmoid()
        out = torch.cat([x0, x1], 1).reshape(n, c, h, w)
        return out.reshape(n, 2, -1, h, w).transpose(1, 2).reshape(n, c, h, w)


class ESE(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.fc = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        return x * F.hardsigmoid(self.fc(avg(x)))


class GC(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        width = hidden(channels, 8)
        self.key = nn.Conv2d(channels, 1, 1, bias=False)
        self.squeeze, self.norm = nn.Conv2d(channels, width, 1), nn.LayerNorm(width)
        self.expand = nn.Conv2d(width, channels, 1)

    def context(self, x):
        share = self.key(x).flatten(2).softmax(2).transpose(1, 2)
        squeezed = self.squeeze((x.flatten(2) @ share).unsqueeze(3))
        return self.expand(self.norm(squeezed.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).relu())

    def forward(self, x):
        return x * self.context(x).sigmoid()


class GCA(GC):
    def forward(self, x):
        return x + self.context(x)


class GRN(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x):
        g = x.norm(2, (2, 3), keepdim=True)
        return x + self.gamma * x * (g / (g.mean(1, keepdim=True) + 1e-6)) + self.beta


class SCSE(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.se, self.conv = SE(channels, size, 2), nn.Conv2d(channels, 1, 1, bias=False)

    def forward(self, x):
        return self.se(x) + x * self.conv(x).sigmoid()


class GCT(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x):
        g = (x.pow(2).sum((2, 3), keepdim=True) + 1e-5).sqrt() * self.alpha
        normal = self.gamma / (g.pow(2).mean(1, keepdim=True) + 1e-5).sqrt()
        return x * (1 + (g * normal + self.beta).tanh())


class SRM(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, channels, 2))
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x):
        style = torch.stack([x.mean((2, 3)), (x.var((2, 3)) + 1e-5).sqrt()], 2)
        return x * self.norm((style * self.weight).sum(2)[:, :, None, None]).sigmoid()


class PolarizedChannel(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        half = channels // 2
        self.value, self.query = nn.Conv2d(channels, half, 1), nn.Conv2d(channels, 1, 1)
        self.expand, self.norm = nn.Conv2d(half, channels, 1), nn.LayerNorm(channels)

    def forward(self, x):
        share = self.query(x).flatten(2).softmax(2).transpose(1, 2)
        context = self.expand((self.value(x).flatten(2) @ share).unsqueeze(3))
        return x * self.norm(context.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).sigmoid()


class PolarizedSpatial(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        half = channels // 2
        self.value, self.query = nn.Conv2d(channels, half, 1), nn.Conv2d(channels, half, 1)

    def forward(self, x):
        share = avg(self.query(x)).flatten(2).softmax(1).transpose(1, 2)
        gate = (share @ self.value(x).flatten(2)).unflatten(2, x.shape[2:])
        return x * gate.sigmoid()


class PolarizedParallel(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.channel, self.space = PolarizedChannel(channels, size), PolarizedSpatial(channels, size)

    def forward(self, x):
        return self.channel(x) + self.space(x)


class PolarizedSequential(nn.Sequential):
    def __init__(self, channels, size):
        super().__init__(PolarizedChannel(channels, size), PolarizedSpatial(channels, size))


class FCA(nn.Module):
    """Sixteen fixed cosine maps instead of the mean; their values do not matter to the time."""

    def __init__(self, channels, size):
        super().__init__()
        self.register_buffer("cosines", torch.randn(1, channels, size, size))
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden(channels, 16), bias=False), nn.ReLU(),
            nn.Linear(hidden(channels, 16), channels, bias=False),
        )  # fmt: skip

    def forward(self, x):
        return x * self.mlp((x * self.cosines).sum((2, 3))).sigmoid()[:, :, None, None]


class DIA(nn.Module):
    def __init__(self, channels, size, reduction=4):
        super().__init__()
        width = hidden(channels, reduction)
        make = lambda: nn.Sequential(  # noqa: E731
            nn.Linear(channels, width), nn.ReLU(), nn.Linear(width, 4 * channels)
        )
        self.of_input, self.of_hidden = make(), make()

    def forward(self, x):
        pooled = x.mean((2, 3))
        h = c = torch.zeros_like(pooled)
        i, f, g, o = (self.of_input(pooled) + self.of_hidden(h)).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return x * (o.sigmoid() * c.sigmoid())[:, :, None, None]
