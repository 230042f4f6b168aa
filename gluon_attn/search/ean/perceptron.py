"""Multilayer perceptrons and Adam in NumPy.

A search step has a few thousand multiplications. In float64 and without MXNet they give the same numbers in all
processes of a job, and their state is plain arrays.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np


class Perceptron:
    """A multilayer perceptron with ReLU between its dense layers: (rows, sizes[0]) -> (rows, sizes[-1]).

    Args:
        sizes: number of inputs, of hidden units of each layer, of outputs.
        random: draws weights and biases, uniform in +-1 / sqrt(inputs of the layer).

    Attributes:
        depth: number of layers.
        weights: parameter name -> array: "0.weight" (outputs, inputs), "0.bias" (outputs), "1.weight" and so on.
    """

    depth: int
    weights: dict[str, np.ndarray]

    def __init__(self, sizes: Sequence[int], random: np.random.Generator) -> None:
        self.depth, self.weights = len(sizes) - 1, {}
        for i, (inputs, outputs) in enumerate(pairwise(sizes)):
            bound = inputs**-0.5
            self.weights[f"{i}.weight"] = random.uniform(-bound, bound, (outputs, inputs))
            self.weights[f"{i}.bias"] = random.uniform(-bound, bound, outputs)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self._activations(x)[-1]

    def gradients(self, x: np.ndarray, grad_output: np.ndarray) -> dict[str, np.ndarray]:
        """Backward pass: parameter name -> gradient of sum(net(x) * grad_output)."""
        activations, found = self._activations(x), {}
        for i in reversed(range(self.depth)):
            found[f"{i}.weight"], found[f"{i}.bias"] = grad_output.T @ activations[i], grad_output.sum(0)
            grad_output = grad_output @ self.weights[f"{i}.weight"] * (activations[i] > 0)
        return found

    def _activations(self, x: np.ndarray) -> list[np.ndarray]:
        """The input of each layer, then the output."""
        activations = [x]
        for i in range(self.depth):
            out = activations[-1] @ self.weights[f"{i}.weight"].T + self.weights[f"{i}.bias"]
            activations.append(np.maximum(out, 0) if i < self.depth - 1 else out)
        return activations


class Adam:
    """Adam (Kingma and Ba 2014, https://arxiv.org/abs/1412.6980) on the parameters of a `Perceptron`.

    Args:
        weights: parameter name -> array, updated in place.
        lr: learning rate.

    Attributes:
        steps: number of updates so far.
        means: parameter name -> moving average of its gradients.
        squares: parameter name -> moving average of their squares.
    """

    steps: int
    means: dict[str, np.ndarray]
    squares: dict[str, np.ndarray]

    def __init__(self, weights: dict[str, np.ndarray], lr: float) -> None:
        self._weights, self._lr, self.steps = weights, lr, 0
        self.means = {name: np.zeros_like(w) for name, w in weights.items()}
        self.squares = {name: np.zeros_like(w) for name, w in weights.items()}

    def step(
        self, gradients: Mapping[str, np.ndarray], beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        """Updates the parameters.

        Args:
            gradients: parameter name -> gradient.
            beta1: decay of the averages of gradients.
            beta2: decay of the averages of squared gradients.
            epsilon: added to the bias-corrected root of the squares.
        """
        self.steps += 1
        for name, gradient in gradients.items():
            mean, square = self.means[name], self.squares[name]
            mean += (1 - beta1) * (gradient - mean)
            square += (1 - beta2) * (gradient**2 - square)
            lr = self._lr / (1 - beta1**self.steps)
            self._weights[name] -= lr * mean / (np.sqrt(square / (1 - beta2**self.steps)) + epsilon)

    def arrays(self) -> dict[str, np.ndarray]:
        """Name -> array of the state that `step` changes, by reference: parameters ("weight.0.bias") and averages."""
        kinds = {"weight": self._weights, "mean": self.means, "square": self.squares}
        return {f"{kind}.{name}": w for kind, group in kinds.items() for name, w in group.items()}
