"""DARTS's second-order step in PyTorch."""

from collections.abc import Iterable

import torch
from torch import nn

Batch = tuple[torch.Tensor, torch.Tensor]  # images and labels

EPSILON = 0.01  # of the finite difference, over the norm of the vector


class Architect:
    """Updates the architecture parameters by second order, then the weights.

    Args:
        net: A supernet whose architecture parameters are in `net.arch`.
    """

    def __init__(self, net: nn.Module):
        self.net, self.arch = net, list(net.arch)
        arch = {id(parameter) for parameter in self.arch}
        self.weights = [parameter for parameter in net.parameters() if id(parameter) not in arch]
        self.sgd = torch.optim.SGD(self.weights, 0.025, momentum=0.9, weight_decay=3e-4)
        self.adam = torch.optim.Adam(self.arch, 3e-4, betas=(0.5, 0.999), weight_decay=1e-3)

    def gradients(self, batch: Batch, wanted: Iterable[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        """Return the gradients of the loss of a batch."""
        return torch.autograd.grad(nn.functional.cross_entropy(self.net(batch[0]), batch[1]), wanted)

    def step(self, train: Batch, valid: Batch) -> None:
        """Take one step of the architecture parameters, with unrolled weights, and one of the weights."""
        eta, before = self.sgd.param_groups[0]["lr"], [w.detach().clone() for w in self.weights]
        grads = self.gradients(train, self.weights)
        with torch.no_grad():
            for weight, grad in zip(self.weights, grads, strict=True):
                momentum = self.sgd.state[weight].get("momentum_buffer")
                move = grad + 3e-4 * weight
                weight -= eta * (move if momentum is None else move + 0.9 * momentum)
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
        for parameter, grad, up, down in zip(self.arch, direct, *sides, strict=True):
            parameter.grad = grad - eta * (up - down) / (2 * radius)
        self.adam.step()
        self.sgd.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(self.net(train[0]), train[1]).backward(inputs=self.weights)
        nn.utils.clip_grad_norm_(self.weights, 5)
        self.sgd.step()
