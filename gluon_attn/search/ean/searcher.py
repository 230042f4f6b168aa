"""What all searches for a connection scheme share: budget, record of samples, best scheme, state."""

import numpy as np

from ...utils.errors import UserError
from ...utils.seed import generator
from .reward import Reward


def as_bits(actions):
    """Rows of 0 and 1 as texts."""
    return ["".join(map(str, row)) for row in np.asarray(actions).tolist()]


class Searcher:
    """A search over schemes of `blocks` bits; a subclass has `propose` and, if it learns, `learn`.

    evaluate: list of schemes, texts of 0 and 1, -> list of accuracies in percent. reward: a `Reward`. samples: schemes
    evaluated a step. seed: all that is random follows from it. details: scheme that was evaluated -> what else its
    record is to say.
    `samples` has a record for each evaluation: step, scheme, accuracy, unconnected, reward, details and what the search
    adds.
    """

    name = None

    def __init__(self, blocks, evaluate, *, reward=None, samples=1, seed=0, details=None):
        if blocks < 1 or samples < 1:
            raise UserError(f"a search needs at least one block and one sample a step, got {blocks} and {samples}")
        self.blocks, self.evaluate, self.reward, self.count = blocks, evaluate, reward or Reward(), samples
        self.random, self.steps, self.samples = generator(seed, *self.name.encode()), 0, []
        self._details = details or (lambda scheme: {})

    def propose(self):
        """`count` schemes to try, rows of 0 and 1."""
        raise NotImplementedError

    def learn(self, actions, rewards):
        """Take notice of the rewards of `actions`; returns record entries for the samples, name -> one each."""
        return {}

    def step(self):
        """Try and learn once; returns the new records."""
        actions = self.propose()
        schemes = as_bits(actions)
        accuracies = [float(a) for a in self.evaluate(schemes)]
        rewards = np.array([self.reward(*pair) for pair in zip(schemes, accuracies, strict=True)])
        extra = self.learn(actions, rewards)
        records = [
            {
                "step": self.steps, "scheme": bits, "accuracy": accuracy, "unconnected": bits.count("0") / len(bits),
                "reward": float(rewards[i]), **self._details(bits),
                **{name: float(values[i]) for name, values in extra.items()},
            }
            for i, (bits, accuracy) in enumerate(zip(schemes, accuracies, strict=True))
        ]  # fmt: skip
        self.samples += records
        self.steps += 1
        return records

    def run(self, steps, after=None):
        """Go on until `steps` steps are done; `after(searcher, records)` is called behind each. Returns the best."""
        while self.steps < steps:
            records = self.step()
            if after:
                after(self, records)
        return self.best()

    def best(self):
        """(scheme, mean of its rewards) of those that were tried: the one with the highest.

        Where trying a scheme again gave another reward, the mean counts less its standard error, so that a lucky
        single sample does not win over a scheme that has shown itself many times.
        """
        seen = {}
        for record in self.samples:
            seen.setdefault(record["scheme"], []).append(record["reward"])
        if not seen:
            raise UserError("the search has tried no scheme yet")
        repeated = [np.array(rewards) for rewards in seen.values() if len(rewards) > 1]
        squares = sum(((rewards - rewards.mean()) ** 2).sum() for rewards in repeated)
        spread = (squares / max(sum(len(rewards) - 1 for rewards in repeated), 1)) ** 0.5
        chosen = max(seen, key=lambda bits: np.mean(seen[bits]) - spread / len(seen[bits]) ** 0.5)
        return chosen, float(np.mean(seen[chosen]))

    def curve(self):
        """The highest reward so far, after each evaluation."""
        return np.maximum.accumulate([record["reward"] for record in self.samples]).tolist()

    def state(self):
        """(arrays, plain data) from which `set_state` goes on as if nothing had happened."""
        plain = {
            "search": self.name, "blocks": self.blocks, "count": self.count, "steps": self.steps,
            "samples": self.samples, "random": self.random.bit_generator.state,
        }  # fmt: skip
        return {}, plain

    def set_state(self, arrays, plain):
        """Go on from `state` of a search that was made alike; of another it is a `UserError`."""
        own = {"search": self.name, "blocks": self.blocks, "count": self.count}
        for key, value in own.items():
            if plain.get(key) != value:
                raise UserError(f"the saved search has {key} {plain.get(key)!r}, this one {value!r}: make them alike")
        self.steps, self.samples = plain["steps"], list(plain["samples"])
        self.random.bit_generator.state = plain["random"]
