"""ResNet-50 and the CIFAR ResNet-20 in PyTorch, written down plainly, with places for attention."""

import torch
from torch import nn

from benchmarks.lib import torch_cells, torch_gates
from benchmarks.lib.networks import DEPLOYED, NETWORKS


class Block(nn.Module):
    """Convolution, norm, activation ...; addition; ReLU. rows: (channels, kernel, stride) of the convolutions."""

    def __init__(self, inside, rows, size, act, post):
        super().__init__()
        layers, width = [], inside
        for number, (out, kernel, stride) in enumerate(rows):
            layers += [nn.Conv2d(width, out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(out)]
            width, size = out, size // stride
            layers += [act(out, size)] if number < len(rows) - 1 else []
        self.body, self.post = nn.Sequential(*layers), post(width, size)
        stride = max(row[2] for row in rows)
        self.shortcut = nn.Identity()
        if inside != width or stride > 1:
            self.shortcut = nn.Sequential(nn.Conv2d(inside, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        return torch.relu(self.post(self.body(x)) + self.shortcut(x))


def bottleneck(channels, stride):
    return (channels, 1, 1), (channels, 3, stride), (4 * channels, 1, 1)


def basic(channels, stride):
    return (channels, 3, stride), (channels, 3, 1)


def relu(channels, size):
    return nn.ReLU()


def nothing(channels, size):
    return nn.Identity()


def stages(row, rows_of, blocks, width, size):
    """The blocks of all stages and their last width; the first stage keeps the size."""
    module = getattr(torch_gates, row.module) if row.module else None
    post = module if module and row.slot == "post" else nothing
    layers, first = [], width
    for stage, count in enumerate(blocks):
        act = module if row.slot == "act" and stage >= len(blocks) - row.last else relu
        for number in range(count):
            stride = 2 if stage and not number else 1
            rows = rows_of(first * 2**stage, stride)
            layers.append(Block(width, rows, size, act, post))
            width, size = rows[-1][0], size // stride
    return layers, width


def network(name, size):
    """A network of `networks` for images of `size`."""
    row = {**NETWORKS, **DEPLOYED}[name]
    if row.cells:
        return getattr(torch_cells, row.cells)(size)
    if row.small:
        layers, width = stages(row, basic, (3, 3, 3), 16, size)
        stem, classes = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)], 10
    else:
        layers, width = stages(row, bottleneck, (3, 4, 6, 3), 64, size // 4)
        stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        classes = 1000
    return nn.Sequential(*stem, *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))
