"""Small dense networks and their optimizer in NumPy.

A search step has a few thousand multiplications; in float64 and without MXNet they are the same on every machine of
a job, and their state is plain arrays.
"""

from itertools import pairwise

import numpy as np


class Perceptron:
    """Dense layers with ReLU between them: rows,sizes[0] -> rows,sizes[-1].

    random: a NumPy generator, from which weights and biases come, uniform up to 1 / sqrt(inputs of the layer).
    `weights`: name, such as "0.weight" of out,in, -> array.
    """

    def __init__(self, sizes, random):
        self.depth, self.weights = len(sizes) - 1, {}
        for i, (inputs, outputs) in enumerate(pairwise(sizes)):
            bound = inputs**-0.5
            self.weights[f"{i}.weight"] = random.uniform(-bound, bound, (outputs, inputs))
            self.weights[f"{i}.bias"] = random.uniform(-bound, bound, outputs)

    def __call__(self, x):
        return self._layers(x)[-1]

    def gradients(self, x, cotangent):
        """Name -> gradient of sum(outputs of `x` * cotangent)."""
        values, found = self._layers(x), {}
        for i in reversed(range(self.depth)):
            found[f"{i}.weight"], found[f"{i}.bias"] = cotangent.T @ values[i], cotangent.sum(0)
            cotangent = cotangent @ self.weights[f"{i}.weight"] * (values[i] > 0)
        return found

    def _layers(self, x):
        """The input of each layer, then the output."""
        values = [x]
        for i in range(self.depth):
            out = values[-1] @ self.weights[f"{i}.weight"].T + self.weights[f"{i}.bias"]
            values.append(np.maximum(out, 0) if i < self.depth - 1 else out)
        return values


class Adam:
    """Kingma and Ba 2014, https://arxiv.org/abs/1412.6980, on the weights of a `Perceptron`, with its defaults."""

    def __init__(self, weights, rate):
        self._weights, self._rate, self.steps = weights, rate, 0
        self.means = {name: np.zeros_like(w) for name, w in weights.items()}
        self.squares = {name: np.zeros_like(w) for name, w in weights.items()}

    def step(self, gradients, first=0.9, second=0.999, epsilon=1e-8):
        """Move the weights against the gradients."""
        self.steps += 1
        for name, gradient in gradients.items():
            mean, square = self.means[name], self.squares[name]
            mean += (1 - first) * (gradient - mean)
            square += (1 - second) * (gradient**2 - square)
            size = self._rate / (1 - first**self.steps)
            self._weights[name] -= size * mean / (np.sqrt(square / (1 - second**self.steps)) + epsilon)

    def arrays(self):
        """Name -> array, all that it changes: the weights and its own; each may be written to."""
        kinds = {"weight": self._weights, "mean": self.means, "square": self.squares}
        return {f"{kind}.{name}": w for kind, group in kinds.items() for name, w in group.items()}
