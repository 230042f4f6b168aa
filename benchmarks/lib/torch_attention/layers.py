"""What several attention modules in PyTorch use."""

import math

import torch
from torch import nn


def hidden(channels: int, reduction: int) -> int:
    """Return the width of a hidden layer."""
    return max(1, channels // reduction)


def pointwise(channels: int, width: int, norm: bool = False, bias: bool = True) -> nn.Sequential:
    """Make two 1x1 convolutions with a ReLU between them, each with a batch norm if `norm`."""
    layers = [nn.Conv2d(channels, width, 1, bias=bias), nn.ReLU(), nn.Conv2d(width, channels, 1, bias=bias)]
    if norm:
        layers[1:1], layers[4:] = [nn.BatchNorm2d(width)], [nn.BatchNorm2d(channels)]
    return nn.Sequential(*layers)


def avg(x: torch.Tensor) -> torch.Tensor:
    """Average over height and width: (N,C,H,W) to (N,C,1,1)."""
    return x.mean((2, 3), keepdim=True)


def eca_kernel(channels: int) -> int:
    """Return the kernel size of ECA's formula."""
    size = int(abs((math.log2(channels) + 1) / 2))
    return size if size % 2 else size + 1


def cba(in_channels: int, channels: int) -> nn.Sequential:
    """Make a 1x1 convolution with batch norm and ReLU."""
    return nn.Sequential(nn.Conv2d(in_channels, channels, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())
