"""Residual blocks, versions 1 and 2, with the layers and parameter names of GluonCV's."""

from mxnet.gluon import nn

from ..slots import Residual
from .blocks import conv, convolution, convolutions, shrunk


class BlockV1(Residual):
    """Convolution, norm, activation ...; addition; ReLU. N,C,H,W -> N,channels,H/stride,W/stride.

    kind: "basic" (two 3x3) or "bottleneck" (1x1, 3x3, 1x1 with four times fewer channels inside). large: as in networks
    for photographs, where a bottleneck's stride is in its first convolution and its 1x1 have biases. last_gamma: the
    last norm's scale starts at 0. The `act` slot holds the activations inside, never the one after the addition.
    """

    def __init__(self, kind, large, last_gamma, channels, stride, in_channels, site):
        super().__init__(prefix="")
        layers = convolutions(kind, channels, stride, early=large)
        self.body = nn.HybridSequential(prefix="")
        width, size = in_channels, site.spatial
        for i, (out, kernel, step) in enumerate(layers):
            after = shrunk(size, step)
            last = i == len(layers) - 1
            inner = site.inner(width, size) if last else None
            if inner:
                self.body.add(inner)
            gamma = "zeros" if last and last_gamma else "ones"
            layer = convolution(site, i, out, kernel, step, width, size, bias=large and kernel == 1)
            self.body.add(layer)
            if not getattr(layer, "normed", False):
                self.body.add(nn.BatchNorm(gamma_initializer=gamma, in_channels=out))
                if not last:
                    self.body.add(site.act(out, after, drop=i == len(layers) - 2))
            width, size = out, after
        self.post = site.post(channels, size)
        self.downsample = None
        if channels != in_channels or stride != 1:
            self.downsample = nn.HybridSequential(prefix="")
            self.downsample.add(conv(channels, 1, stride, in_channels), nn.BatchNorm(in_channels=channels))


class BlockV2(Residual):
    """Norm, activation, convolution ...; addition. N,C,H,W -> N,channels,H/stride,W/stride.

    kind: as in `BlockV1`. large: as in networks for photographs, where a shortcut with a convolution takes what the
    first activation gives, else the block's raw input. The `act` slot holds every activation.
    """

    reference_key = "gluon_block_v2"

    def __init__(self, kind, large, channels, stride, in_channels, site):
        super().__init__(prefix="")
        self._large = large
        layers = convolutions(kind, channels, stride)
        self._depth = len(layers)
        width, size = in_channels, site.spatial
        for i, (out, kernel, step) in enumerate(layers, 1):
            setattr(self, f"bn{i}", nn.BatchNorm(in_channels=width))
            setattr(self, f"act{i}", site.act(width, size, drop=i == self._depth))
            if i == self._depth:
                self.inner = site.inner(width, size)
            setattr(self, f"conv{i}", convolution(site, i - 1, out, kernel, step, width, size))
            width, size = out, shrunk(size, step)
        self.post = site.post(channels, size)
        self.downsample = None
        if channels != in_channels or stride != 1:
            self.downsample = conv(channels, 1, stride, in_channels)

    def hybrid_forward(self, F, x, *state):
        residual = x
        for i in range(1, self._depth + 1):
            x = getattr(self, f"act{i}")(getattr(self, f"bn{i}")(x))
            if i == 1 and self.downsample:
                residual = self.downsample(x if self._large else residual)
            x = self.inner(x) if self.inner and i == self._depth else x
            x = getattr(self, f"conv{i}")(x)
        x, state = self.attend(F, x, state)
        return (residual + x, *state) if state else residual + x
