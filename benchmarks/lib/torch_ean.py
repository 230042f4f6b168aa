"""EAN's supernet in PyTorch, as its authors wrote it: ResNet-50 with biases, one shared attention per stage."""

from collections.abc import Callable

import torch
from torch import nn

from benchmarks.lib import torch_attention

BLOCKS = (3, 4, 6, 3)
State = tuple[torch.Tensor, torch.Tensor]  # hidden and cell state, each (N,C)


class DIA(torch_attention.DIA):
    """DIA with the state of its LSTM."""

    def forward(self, x: torch.Tensor, state: State | None = None) -> tuple[torch.Tensor, State]:
        """Return the output and the new state, from the input and the state of the block before."""
        pooled = x.mean((2, 3))
        h, c = state or (torch.zeros_like(pooled),) * 2
        i, f, g, o = (self.of_input(pooled) + self.of_hidden(h)).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.sigmoid()
        return x * h[:, :, None, None], (h, c)


#: name -> function of the channels; the size of the feature map does not matter to these
ATTENTIONS = {
    "sge": lambda channels: torch_attention.SGE(channels, 0),
    "se": lambda channels: torch_attention.SE(channels, 0),
    "dia": lambda channels: DIA(channels, 0, reduction=20),
}


def convolution(in_channels: int, out: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """Make a convolution with bias, and its batch norm."""
    return [nn.Conv2d(in_channels, out, kernel, stride, kernel // 2), nn.BatchNorm2d(out)]


class Bottleneck(nn.Module):
    """A bottleneck block that gets its attention with each call."""

    def __init__(self, in_channels: int, width: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(
            *convolution(in_channels, width, 1), nn.ReLU(inplace=True),
            *convolution(width, width, 3, stride), nn.ReLU(inplace=True),
            *convolution(width, 4 * width, 1),
        )  # fmt: skip
        self.shortcut = nn.Identity()
        if in_channels != 4 * width:
            self.shortcut = nn.Sequential(*convolution(in_channels, 4 * width, 1, stride))

    def forward(self, x: torch.Tensor, attend: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        return torch.relu(attend(self.body(x)) + self.shortcut(x))


class Supernet(nn.Module):
    """The supernet with one attention of `ATTENTIONS`, called with images and a scheme."""

    def __init__(self, attention: str, classes: int = 1000):
        super().__init__()
        self.stem = nn.Sequential(*convolution(3, 64, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1))
        self.stages, in_channels = nn.ModuleList(), 64
        for stage, count in enumerate(BLOCKS):
            width = 64 * 2**stage
            blocks = []
            for number in range(count):
                blocks.append(Bottleneck(in_channels, width, 2 if stage and not number else 1))
                in_channels = 4 * width
            self.stages.append(nn.ModuleList(blocks))
        self.shared = nn.ModuleList(ATTENTIONS[attention](256 * 2**stage) for stage in range(len(BLOCKS)))
        self.carries, self.state = attention == "dia", None
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(in_channels, classes))

    def forward(self, x: torch.Tensor, scheme: str) -> torch.Tensor:
        """Return the logits of images (N,3,H,W); the scheme has a 0 or 1 for each block."""
        x, bits = self.stem(x), iter(scheme)
        for blocks, attention in zip(self.stages, self.shared, strict=True):
            self.state = None
            for block in blocks:
                x = block(x, self.carried(attention) if next(bits) == "1" else nn.Identity())
        return self.head(x)

    def carried(self, attention: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
        """Return the attention as a function of the feature map alone; its state is kept in the supernet."""
        if not self.carries:
            return attention

        def attend(x):
            y, self.state = attention(x, self.state)
            return y

        return attend
