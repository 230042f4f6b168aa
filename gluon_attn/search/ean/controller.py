"""What proposes connection schemes in EAN's search, and what finds a scheme new."""

import numpy as np

from .perceptron import Adam, Perceptron


class Controller:
    """The chance of each block to be connected, from a network of two layers whose input is always zero.

    Huang et al. 2020, https://arxiv.org/abs/2011.14058. Each block has two outputs: not connected, connected.

    blocks: their number. random: a NumPy generator, for the first weights. hidden: width inside (50). inputs: 20.
    temperature: by which the outputs are divided (5). clip: c, they become c*tanh(output), so that no chance comes
    closer to 0 or 1 than 1 / (1 + exp(2c)); None leaves them. rate: of Adam (0.05).
    """

    def __init__(self, blocks, random, *, inputs=20, hidden=50, temperature=5.0, clip=2.5, rate=0.05):
        self.blocks, self._temperature, self._clip = blocks, temperature, clip
        self.net = Perceptron((inputs, hidden, 2 * blocks), random)
        self.adam = Adam(self.net.weights, rate)
        self._zeros = np.zeros((1, inputs))

    def logits(self, x=None):
        """rows,2*blocks for the input `x` of rows,inputs (default: one row of zeros)."""
        raw = self.net(self._zeros if x is None else x) / self._temperature
        return raw if self._clip is None else self._clip * np.tanh(raw)

    def chances(self):
        """blocks,2: of being left out, of being connected."""
        logits = self.logits().reshape(self.blocks, 2)
        powers = np.exp(logits - logits.max(1, keepdims=True))
        return powers / powers.sum(1, keepdims=True)

    def sample(self, count, random):
        """`count` schemes, an array of 0 and 1 with a row each."""
        return (random.random((count, self.blocks)) < self.chances()[:, 1]).astype(np.int64)

    def log_chances(self, actions):
        """Logarithm of each choice's chance, in the shape of `actions`."""
        return np.log(np.where(actions == 1, self.chances()[:, 1], self.chances()[:, 0]))

    def gradients(self, actions, weights):
        """Gradients of sum(weights * log_chances(actions)); both of samples,blocks."""
        taken = np.stack([actions == 0, actions == 1], axis=2)
        cotangent = (weights[:, :, None] * (taken - self.chances())).sum(0).reshape(1, -1) / self._temperature
        if self._clip is not None:
            cotangent = cotangent * (self._clip - self.logits() ** 2 / self._clip)
        return self.net.gradients(self._zeros, cotangent)


class Novelty:
    """How new a scheme is: how badly a network that learns from the schemes so far foretells a fixed random one.

    Random network distillation, Burda et al. 2018, https://arxiv.org/abs/1810.12894. blocks, random, rate: as in
    `Controller`.
    """

    def __init__(self, blocks, random, rate=0.05, hidden=32, scale=4):
        self.fixed = Perceptron((blocks, hidden, hidden, scale * blocks), random)
        self.learner = Perceptron((blocks, hidden, scale * blocks), random)
        self.adam = Adam(self.learner.weights, rate)

    def bonus(self, actions):
        """Squared distance of the two networks' outputs, one a row."""
        return ((self.fixed(actions) - self.learner(actions)) ** 2).sum(1)

    def gradients(self, actions):
        """Gradients of the sum of `bonus` by the learner's weights."""
        return self.learner.gradients(actions, 2 * (self.learner(actions) - self.fixed(actions)))

    def learn(self, actions):
        """One step towards the fixed network."""
        self.adam.step(self.gradients(actions))
