"""EAN's supernet in PyTorch as its authors wrote it: ResNet-50 with biases, one attention a stage, schemes as input."""

from collections.abc import Callable

import torch
from torch import nn

from benchmarks.lib.torch_attention import channel, spatial

BLOCKS = (3, 4, 6, 3)


class DIA(channel.DIA):
    """DIA with its recurrent state: `dia(x, (h, c))` gives (y, (h, c))."""

    def forward(self, x, state=None):
        pooled = x.mean((2, 3))
        h, c = state or (torch.zeros_like(pooled),) * 2
        i, f, g, o = (self.of_input(pooled) + self.of_hidden(h)).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.sigmoid()
        return x * h[:, :, None, None], (h, c)


#: name -> maker, a function of the channels
ATTENTIONS = {
    "sge": lambda channels: spatial.SGE(channels, None),
    "se": lambda channels: channel.SE(channels, None),
    "dia": lambda channels: DIA(channels, None, reduction=20),
}


def convolution(in_channels: int, out: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """Convolution with bias and batch norm."""
    return [nn.Conv2d(in_channels, out, kernel, stride, kernel // 2), nn.BatchNorm2d(out)]


class Bottleneck(nn.Module):
    def __init__(self, inside, width, stride):
        super().__init__()
        self.body = nn.Sequential(
            *convolution(inside, width, 1), nn.ReLU(inplace=True),
            *convolution(width, width, 3, stride), nn.ReLU(inplace=True),
            *convolution(width, 4 * width, 1),
        )  # fmt: skip
        self.shortcut = nn.Identity()
        if inside != 4 * width:
            self.shortcut = nn.Sequential(*convolution(inside, 4 * width, 1, stride))

    def forward(self, x, attend):
        return torch.relu(attend(self.body(x)) + self.shortcut(x))


class Supernet(nn.Module):
    """`net(x, scheme)`; a scheme has a 0 or 1 for each block."""

    def __init__(self, attention, classes=1000):
        super().__init__()
        self.stem = nn.Sequential(*convolution(3, 64, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1))
        self.stages, inside = nn.ModuleList(), 64
        for stage, count in enumerate(BLOCKS):
            width = 64 * 2**stage
            blocks = []
            for number in range(count):
                blocks.append(Bottleneck(inside, width, 2 if stage and not number else 1))
                inside = 4 * width
            self.stages.append(nn.ModuleList(blocks))
        self.shared = nn.ModuleList(ATTENTIONS[attention](256 * 2**stage) for stage in range(len(BLOCKS)))
        self.carries, self.state = attention == "dia", None
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inside, classes))

    def forward(self, x, scheme):
        x, bits = self.stem(x), iter(scheme)
        for blocks, attention in zip(self.stages, self.shared, strict=True):
            self.state = None
            for block in blocks:
                x = block(x, self.carried(attention) if next(bits) == "1" else nn.Identity())
        return self.head(x)

    def carried(self, attention: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
        """The attention as a function of the feature map only; its recurrent state is kept here."""
        if not self.carries:
            return attention

        def attend(x):
            y, self.state = attention(x, self.state)
            return y

        return attend
