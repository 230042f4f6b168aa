"""Optimizers that MXNet 1.9.1 does not have."""

from typing import Any

import mxnet as mx


class RMSPropTF(mx.optimizer.Optimizer):
    """RMSProp as TensorFlow has it, for which the recipes of mobile networks are written; timm's `rmsproptf`.

    n += (1 - decay) (g**2 - n), from n = 1; delta = momentum delta + lr g / sqrt(n + epsilon); w -= delta. MXNet's own
    begins with n = 0 and divides by sqrt(n) + epsilon.

    Args:
        learning_rate: lr.
        decay: of the mean square.
        momentum: of the steps, the learning rate included.
        epsilon: inside the root.
        **options: as of every optimizer.
    """

    def __init__(
        self,
        learning_rate: float = 0.01,
        decay: float = 0.9,
        momentum: float = 0.9,
        epsilon: float = 1e-3,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **options)
        self.decay, self.momentum, self.epsilon = decay, momentum, epsilon

    def create_state(self, index: int, weight: mx.nd.NDArray) -> tuple[mx.nd.NDArray, mx.nd.NDArray]:
        """(mean square, momentum) of a weight."""
        return mx.nd.ones_like(weight), mx.nd.zeros_like(weight)

    def update(self, index: int, weight: mx.nd.NDArray, grad: mx.nd.NDArray, state: tuple) -> None:
        """One step of a weight, in place."""
        self._update_count(index)
        square, delta = state
        grad = grad * self.rescale_grad + self._get_wd(index) * weight
        square += (1 - self.decay) * (grad * grad - square)
        delta *= self.momentum
        delta += self._get_lr(index) * grad / mx.nd.sqrt(square + self.epsilon)
        weight -= delta


class AdamW(mx.optimizer.Optimizer):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2017, https://arxiv.org/abs/1711.05101), as PyTorch's.

    Args:
        learning_rate: lr; the weights shrink by lr times the weight decay.
        beta1: decay of the mean of the gradients.
        beta2: decay of the mean of their squares.
        epsilon: is added to the root.
        **options: as of every optimizer.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **options)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def create_state(self, index: int, weight: mx.nd.NDArray) -> tuple[mx.nd.NDArray, mx.nd.NDArray]:
        """(mean, mean square) of the gradients of a weight."""
        return mx.nd.zeros_like(weight), mx.nd.zeros_like(weight)

    def update(self, index: int, weight: mx.nd.NDArray, grad: mx.nd.NDArray, state: tuple) -> None:
        """One step of a weight, in place."""
        self._update_count(index)
        number, lr = self._index_update_count[index], self._get_lr(index)
        root = (1 - self.beta2**number) ** 0.5
        scale = mx.nd.full((1,), self.rescale_grad, ctx=weight.context)
        # The corrections of both means, which the operator has not, are in its rate and its epsilon. It also scales the
        # gradient in place, which nothing reads after the step.
        mx.nd.contrib.adamw_update(
            weight, grad, *state, scale, out=weight, lr=lr * root / (1 - self.beta1**number), eta=1.0,
            beta1=self.beta1, beta2=self.beta2, epsilon=self.epsilon * root, wd=lr * self._get_wd(index),
        )  # fmt: skip
