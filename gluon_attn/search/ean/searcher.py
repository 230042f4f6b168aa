"""The base class of searches for a connection scheme: steps, records of samples, best scheme, state."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...utils.errors import UserError
from ...utils.seed import generator
from .reward import Reward, unconnected_share

Record = dict[str, Any]


def as_bits(actions: np.ndarray | Sequence[Sequence[int]]) -> list[str]:
    """Schemes as strings of 0 and 1, from actions (samples, blocks)."""
    return ["".join(map(str, row)) for row in np.asarray(actions).tolist()]


def best_scheme(samples: Sequence[Mapping[str, Any]]) -> tuple[str, float]:
    """(scheme, mean reward) of the best sampled scheme.

    If rewards of repeated samples differ, schemes are ranked by the mean reward minus its standard error, so that one
    lucky sample does not win over a scheme that was sampled many times.

    Args:
        samples: records with a scheme and a reward.

    Raises:
        UserError: there is none.
    """
    rewards_of: dict[str, list[float]] = {}
    for record in samples:
        rewards_of.setdefault(record["scheme"], []).append(record["reward"])
    if not rewards_of:
        raise UserError("the search has evaluated no scheme yet")
    repeated = [np.array(rewards) for rewards in rewards_of.values() if len(rewards) > 1]
    squares = sum(((rewards - rewards.mean()) ** 2).sum() for rewards in repeated)
    deviation = (squares / max(sum(len(rewards) - 1 for rewards in repeated), 1)) ** 0.5
    best = max(rewards_of, key=lambda s: np.mean(rewards_of[s]) - deviation / len(rewards_of[s]) ** 0.5)
    return best, float(np.mean(rewards_of[best]))


def best_so_far(samples: Sequence[Mapping[str, Any]]) -> list[float]:
    """The best reward so far, after each of the samples."""
    return np.maximum.accumulate([record["reward"] for record in samples]).tolist()


class Searcher:
    """A search over schemes; a subclass has `name`, `propose` and, if it learns from rewards, `learn`.

    Args:
        blocks: number of bits of a scheme.
        evaluate: function (list of schemes) -> their accuracies in percent.
        reward: a `Reward` (default: that of the paper).
        samples_per_step: number of schemes evaluated in each step.
        seed: of all random numbers of the search.
        details: function (evaluated scheme) -> further entries of its record.

    Attributes:
        name: of the kind of search; part of its random stream and of its state.
        samples: a record for each evaluation: step, scheme, accuracy, unconnected (share of blocks), reward, details,
            and what the search adds.
        steps: number of steps so far.

    Raises:
        UserError: for less than one block or sample.
    """

    name: str
    samples: list[Record]
    steps: int

    def __init__(
        self,
        blocks: int,
        evaluate: Callable[[list[str]], Sequence[float]],
        *,
        reward: Reward | None = None,
        samples_per_step: int = 1,
        seed: int = 0,
        details: Callable[[str], Record] | None = None,
    ) -> None:
        if blocks < 1 or samples_per_step < 1:
            raise UserError(
                f"a search needs at least one block and one sample per step, got {blocks} and {samples_per_step}"
            )
        self.blocks, self.evaluate, self.reward = blocks, evaluate, reward or Reward()
        self.samples_per_step = samples_per_step
        self.random, self.steps, self.samples = generator(seed, *self.name.encode()), 0, []
        self._details = details or (lambda scheme: {})

    def propose(self) -> np.ndarray:
        """The schemes to evaluate next: actions (samples_per_step, blocks), each 0 or 1."""
        raise NotImplementedError

    def learn(self, actions: np.ndarray, rewards: np.ndarray) -> dict[str, np.ndarray]:
        """Learns from rewards (samples,) of actions (samples, blocks).

        Returns:
            Further entries of the records: name -> (samples,).
        """
        return {}

    def step(self) -> list[Record]:
        """Proposes, evaluates and learns once; returns the new records."""
        actions = self.propose()
        schemes = as_bits(actions)
        accuracies = [float(a) for a in self.evaluate(schemes)]
        rewards = np.array([self.reward(*pair) for pair in zip(schemes, accuracies, strict=True)])
        extra = self.learn(actions, rewards)
        records = [
            {
                "step": self.steps, "scheme": bits, "accuracy": accuracy, "unconnected": unconnected_share(bits),
                "reward": float(rewards[i]), **self._details(bits),
                **{name: float(values[i]) for name, values in extra.items()},
            }
            for i, (bits, accuracy) in enumerate(zip(schemes, accuracies, strict=True))
        ]  # fmt: skip
        self.samples += records
        self.steps += 1
        return records

    def run(
        self, steps: int, after_step: Callable[["Searcher", list[Record]], None] | None = None
    ) -> tuple[str, float]:
        """Runs until `steps` steps are done in all.

        Args:
            steps: total number of steps; those already done count.
            after_step: called with the search and the new records after each step.

        Returns:
            What `best` gives.
        """
        while self.steps < steps:
            records = self.step()
            if after_step:
                after_step(self, records)
        return self.best()

    def best(self) -> tuple[str, float]:
        """What `best_scheme` gives for all samples so far.

        Raises:
            UserError: before the first step.
        """
        return best_scheme(self.samples)

    def curve(self) -> list[float]:
        """The best reward so far, after each evaluation."""
        return best_so_far(self.samples)

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """(arrays, JSON data) from which `set_state` continues as if the search had not been interrupted."""
        return {}, {
            **self._identity(), "steps": self.steps, "samples": self.samples,
            "random": self.random.bit_generator.state,
        }  # fmt: skip

    def set_state(self, arrays: Mapping[str, np.ndarray], plain: Mapping[str, Any]) -> None:
        """Restores the state of a search with the same arguments.

        Args:
            arrays: name -> array, from `state`.
            plain: JSON data, from `state`.

        Raises:
            UserError: if the saved search had others.
        """
        for key, value in self._identity().items():
            if plain.get(key) != value:
                raise UserError(f"the saved search has {key} {plain.get(key)!r}, this one {value!r}: make them alike")
        self.steps, self.samples = plain["steps"], list(plain["samples"])
        self.random.bit_generator.state = plain["random"]

    def _identity(self) -> dict[str, Any]:
        """State key -> what must be the same to resume."""
        return {"search": self.name, "blocks": self.blocks, "count": self.samples_per_step}
