"""The search networks of Att-DARTS and ANAS in plain PyTorch, and DARTS's second-order step."""

from functools import partial

import torch
from torch import nn

from benchmarks.lib.torch_gates import CBAM, SE, GEThetaPlus, avg
from benchmarks.lib.torch_mixers import A2

EPSILON = 0.01
Batch = tuple[torch.Tensor, torch.Tensor]


def norm(channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels, affine=False)


class Zero(nn.Module):
    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return x[:, :, :: self.stride, :: self.stride] * 0.0


class Reduce(nn.Module):
    def __init__(self, inside, channels):
        super().__init__()
        self.one, self.two = (nn.Conv2d(inside, channels // 2, 1, 2, bias=False) for _ in range(2))
        self.norm = norm(channels)

    def forward(self, x):
        x = torch.relu(x)
        return self.norm(torch.cat([self.one(x), self.two(x[:, :, 1:, 1:])], 1))


def pointwise(in_channels: int, channels: int) -> nn.Module:
    return nn.Sequential(nn.ReLU(), nn.Conv2d(in_channels, channels, 1, bias=False), norm(channels))


def depthwise(channels: int, kernel: int, steps: list[tuple[int, int]]) -> nn.Module:
    """Depthwise separable convolutions; steps: (stride, dilation) of each."""
    layers = []
    for stride, dilation in steps:
        padding = kernel // 2 * dilation
        conv = nn.Conv2d(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False)
        layers += [nn.ReLU(), conv, nn.Conv2d(channels, channels, 1, bias=False), norm(channels)]
    return nn.Sequential(*layers)


def pooled(pool: nn.Module, channels: int) -> nn.Module:
    """Pooling followed by batch norm."""
    return nn.Sequential(pool, norm(channels))


#: DARTS's candidate operations: functions of channels and stride
OPERATIONS = (
    lambda c, s: Zero(s),
    lambda c, s: pooled(nn.MaxPool2d(3, s, 1), c),
    lambda c, s: pooled(nn.AvgPool2d(3, s, 1, count_include_pad=False), c),
    lambda c, s: nn.Identity() if s == 1 else Reduce(c, c),
    *(lambda c, s, k=k: depthwise(c, k, [(s, 1), (1, 1)]) for k in (3, 5)),
    *(lambda c, s, k=k: depthwise(c, k, [(s, 2)]) for k in (3, 5)),
)


class BAM(nn.Module):
    """Att-DARTS's variant, with batch norm in both branches."""

    def __init__(self, channels, size):
        super().__init__()
        width = max(1, channels // 16)
        dilated = {"kernel_size": 3, "padding": 4, "dilation": 4}
        self.channel = nn.Sequential(
            nn.Conv2d(channels, width, 1), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, channels, 1)
        )
        self.space = nn.Sequential(
            nn.Conv2d(channels, width, 1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, **dilated), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, **dilated), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, 1, 1),
        )  # fmt: skip

    def forward(self, x):
        return x * (1 + (self.channel(avg(x)) * self.space(x)).sigmoid())


ATTENTIONS = (lambda c, size: nn.Identity(), partial(SE, bias=False), BAM, CBAM, GEThetaPlus, A2)


class Edge(nn.Module):
    def __init__(self, channels, stride, size):
        super().__init__()
        self.first = nn.ModuleList(make(channels, stride) for make in OPERATIONS)
        self.second = nn.ModuleList(make(channels, size) for make in ATTENTIONS)

    def forward(self, x, alphas, betas):
        x = sum(weight * layer(x) for weight, layer in zip(alphas, self.first, strict=True))
        return sum(weight * layer(x) for weight, layer in zip(betas, self.second, strict=True))


class Cell(nn.Module):
    def __init__(self, before, last, channels, size, reduction, halve):
        super().__init__()
        self.one = Reduce(before, channels) if halve else pointwise(before, channels)
        self.two = pointwise(last, channels)
        strides = [2 if reduction and i < 2 else 1 for node in range(4) for i in range(2 + node)]
        self.edges = nn.ModuleList(Edge(channels, stride, size) for stride in strides)

    def forward(self, before, last, alphas, betas):
        states, edge = [self.one(before), self.two(last)], 0
        for _ in range(4):
            total = 0
            for state in states:
                total = total + self.edges[edge](state, alphas[edge], betas[edge])
                edge += 1
            states.append(total)
        return torch.cat(states[2:], 1)


class CellSupernet(nn.Module):
    """Att-DARTS's search network with attention after every operation."""

    def __init__(self, channels, layers, size):
        super().__init__()
        before = last = 3 * channels
        self.stem = nn.Sequential(nn.Conv2d(3, last, 3, padding=1, bias=False), nn.BatchNorm2d(last))
        self.cells, self.kinds, halve = nn.ModuleList(), [], False
        for i in range(layers):
            reduction = i in (layers // 3, 2 * layers // 3)
            channels, size = (2 * channels, size // 2) if reduction else (channels, size)
            self.cells.append(Cell(before, last, channels, size, reduction, halve))
            self.kinds.append(int(reduction))
            halve, before, last = reduction, last, 4 * channels
        self.classifier = nn.Linear(last, 10)
        self.arch = nn.ParameterList(1e-3 * torch.randn(14, count) for count in (8, 8, 6, 6))

    def forward(self, x):
        weights = [alphas.softmax(-1) for alphas in self.arch]
        before = last = self.stem(x)
        for cell, kind in zip(self.cells, self.kinds, strict=True):
            before, last = last, cell(before, last, weights[kind], weights[2 + kind])
        return self.classifier(last.mean((2, 3)))


class ChannelScore(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.dense = nn.Linear(2 * channels, channels)

    def forward(self, x):
        values = self.dense(torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1))
        return values[:, :, None, None].expand_as(x)


class SpatialScore(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 1, bias=False)

    def forward(self, x):
        return self.conv(torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)).expand_as(x)


#: ANAS's candidate operations: functions of channels
IN_ATTENTION = (
    lambda c: Zero(1), lambda c: nn.Identity(), lambda c: pointwise(c, c),
    lambda c: depthwise(c, 3, [(1, 1), (1, 1)]), lambda c: depthwise(c, 3, [(1, 2)]),
    lambda c: nn.AvgPool2d(3, 1, 1, count_include_pad=False), lambda c: nn.MaxPool2d(3, 1, 1), ChannelScore,
    lambda c: SpatialScore(),
)  # fmt: skip


class AttentionBlock(nn.Module):
    """A basic block with an attention cell of mixed operations at the end."""

    def __init__(self, inside, channels, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inside, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels),
        )  # fmt: skip
        self.edges = nn.ModuleList(nn.ModuleList(make(channels) for make in IN_ATTENTION) for _ in range(9))
        self.shortcut = nn.Identity()
        if inside != channels:
            conv = nn.Conv2d(inside, channels, 1, stride, bias=False)
            self.shortcut = nn.Sequential(conv, nn.BatchNorm2d(channels))

    def forward(self, x, alphas):
        y = self.body(x)
        states, edge = [y, y], 0
        for _ in range(3):
            total = 0
            for state in states:
                layers = zip(alphas[edge], self.edges[edge], strict=True)
                total = total + sum(weight * layer(state) for weight, layer in layers)
                edge += 1
            states.append(total)
        return torch.relu(y * sum(states[2:]).sigmoid() + self.shortcut(x))


class AttentionSupernet(nn.Module):
    """ANAS's search network, on the CIFAR ResNet-20."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        rows = [(16, 16, 1)] * 3 + [(16, 32, 2)] + [(32, 32, 1)] * 2 + [(32, 64, 2)] + [(64, 64, 1)] * 2
        self.blocks = nn.ModuleList(AttentionBlock(*row) for row in rows)
        self.classifier = nn.Linear(64, 10)
        self.arch = nn.ParameterList([1e-3 * torch.randn(9, 9)])

    def forward(self, x):
        alphas, x = self.arch[0].softmax(-1), self.stem(x)
        for block in self.blocks:
            x = block(x, alphas)
        return self.classifier(x.mean((2, 3)))


class Architect:
    """DARTS's step: the architecture parameters by second order, then the weights; the network itself is unrolled."""

    def __init__(self, net):
        self.net, self.arch = net, list(net.arch)
        arch_ids = {id(parameter) for parameter in self.arch}
        self.weights = [parameter for parameter in net.parameters() if id(parameter) not in arch_ids]
        self.sgd = torch.optim.SGD(self.weights, 0.025, momentum=0.9, weight_decay=3e-4)
        self.adam = torch.optim.Adam(self.arch, 3e-4, betas=(0.5, 0.999), weight_decay=1e-3)

    def gradients(self, batch: Batch, parameters: list[nn.Parameter]) -> tuple[torch.Tensor, ...]:
        """Gradients of the loss of a batch."""
        return torch.autograd.grad(nn.functional.cross_entropy(self.net(batch[0]), batch[1]), parameters)

    def step(self, train: Batch, valid: Batch) -> None:
        """One step on a training and a validation batch."""
        eta, before = self.sgd.param_groups[0]["lr"], [w.detach().clone() for w in self.weights]
        gradients = self.gradients(train, self.weights)
        with torch.no_grad():
            for weight, gradient in zip(self.weights, gradients, strict=True):
                momentum = self.sgd.state[weight].get("momentum_buffer")
                update = gradient + 3e-4 * weight
                weight -= eta * (update if momentum is None else update + 0.9 * momentum)
        both = self.gradients(valid, [*self.arch, *self.weights])
        direct, vector = both[: len(self.arch)], both[len(self.arch) :]
        radius = EPSILON / torch.sqrt(sum((v * v).sum() for v in vector))
        sides = []
        for sign in (1, -1):
            with torch.no_grad():
                for weight, old, direction in zip(self.weights, before, vector, strict=True):
                    weight.copy_(old + sign * radius * direction)
            sides.append(self.gradients(train, self.arch))
        with torch.no_grad():
            for weight, old in zip(self.weights, before, strict=True):
                weight.copy_(old)
        for parameter, gradient, up, down in zip(self.arch, direct, *sides, strict=True):
            parameter.grad = gradient - eta * (up - down) / (2 * radius)
        self.adam.step()
        self.sgd.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(self.net(train[0]), train[1]).backward(inputs=self.weights)
        nn.utils.clip_grad_norm_(self.weights, 5)
        self.sgd.step()
