"""EAN's controller, the policy that samples connection schemes, and the exploration bonus for new schemes."""

import numpy as np

from .perceptron import Adam, Perceptron


class Controller:
    """The policy: a probability for each block to be connected, independent of the other blocks.

    Huang et al. 2020, https://arxiv.org/abs/2011.14058. A perceptron with one hidden layer and a constant input of
    zeros gives two logits for each block: unconnected, connected. An action is a 0 or 1 for one block; a row of
    actions is a scheme.

    Args:
        blocks: number of blocks.
        random: draws the initial weights.
        inputs: number of inputs of the perceptron.
        hidden: number of hidden units.
        temperature: divides the outputs of the perceptron.
        clip: logits become clip * tanh(logits), so that no probability is closer to 0 or 1 than
            1 / (1 + exp(2 clip)); None: no clipping.
        lr: learning rate of Adam.

    Attributes:
        net: the `Perceptron`.
        adam: its optimizer.
    """

    net: Perceptron
    adam: Adam

    def __init__(
        self,
        blocks: int,
        random: np.random.Generator,
        *,
        inputs: int = 20,
        hidden: int = 50,
        temperature: float = 5.0,
        clip: float | None = 2.5,
        lr: float = 0.05,
    ) -> None:
        self.blocks, self._temperature, self._clip = blocks, temperature, clip
        self.net = Perceptron((inputs, hidden, 2 * blocks), random)
        self.adam = Adam(self.net.weights, lr)
        self._zeros = np.zeros((1, inputs))

    def logits(self, x: np.ndarray | None = None) -> np.ndarray:
        """Logits (rows, 2*blocks) of an input x (rows, inputs); default: one row of zeros."""
        raw = self.net(self._zeros if x is None else x) / self._temperature
        return raw if self._clip is None else self._clip * np.tanh(raw)

    def probabilities(self) -> np.ndarray:
        """Probabilities (blocks, 2) to be unconnected and to be connected."""
        logits = self.logits().reshape(self.blocks, 2)
        powers = np.exp(logits - logits.max(1, keepdims=True))
        return powers / powers.sum(1, keepdims=True)

    def sample(self, count: int, random: np.random.Generator) -> np.ndarray:
        """Samples `count` schemes with the random numbers of `random`: actions (count, blocks), each 0 or 1."""
        return (random.random((count, self.blocks)) < self.probabilities()[:, 1]).astype(np.int64)

    def log_probabilities(self, actions: np.ndarray) -> np.ndarray:
        """Log-probability of each of the actions (samples, blocks), in the same shape."""
        return np.log(np.where(actions == 1, self.probabilities()[:, 1], self.probabilities()[:, 0]))

    def gradients(self, actions: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Parameter name -> gradient of sum(weights * log_probabilities(actions)); both (samples, blocks)."""
        one_hot = np.stack([actions == 0, actions == 1], axis=2)
        grad_logits = (weights[:, :, None] * (one_hot - self.probabilities())).sum(0).reshape(1, -1)
        grad_raw = grad_logits / self._temperature
        if self._clip is not None:
            grad_raw = grad_raw * (self._clip - self.logits() ** 2 / self._clip)
        return self.net.gradients(self._zeros, grad_raw)


class RNDBonus:
    """Exploration bonus by random network distillation (RND): the prediction error against a fixed random network.

    Burda et al. 2018, https://arxiv.org/abs/1810.12894. A predictor learns the outputs of the fixed network on the
    schemes sampled so far, so its error is large for schemes unlike them.

    Args:
        blocks: number of blocks.
        random: draws the weights of both networks.
        lr: learning rate of Adam.
        hidden: number of hidden units of each layer.
        scale: number of outputs by number of blocks.

    Attributes:
        fixed: the fixed random network, with two hidden layers.
        predictor: the network that learns, with one.
        adam: its optimizer.
    """

    fixed: Perceptron
    predictor: Perceptron
    adam: Adam

    def __init__(
        self, blocks: int, random: np.random.Generator, lr: float = 0.05, hidden: int = 32, scale: int = 4
    ) -> None:
        self.fixed = Perceptron((blocks, hidden, hidden, scale * blocks), random)
        self.predictor = Perceptron((blocks, hidden, scale * blocks), random)
        self.adam = Adam(self.predictor.weights, lr)

    def bonus(self, actions: np.ndarray) -> np.ndarray:
        """Squared prediction error of each scheme; actions (samples, blocks)."""
        return ((self.fixed(actions) - self.predictor(actions)) ** 2).sum(1)

    def gradients(self, actions: np.ndarray) -> dict[str, np.ndarray]:
        """Parameter name -> gradient of the sum of `bonus(actions)` by the predictor's weights."""
        return self.predictor.gradients(actions, 2 * (self.predictor(actions) - self.fixed(actions)))

    def learn(self, actions: np.ndarray) -> None:
        """One step of the predictor on the schemes `actions`, (samples, blocks)."""
        self.adam.step(self.gradients(actions))
