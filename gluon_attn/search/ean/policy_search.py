"""EAN's search: a policy gradient over connection schemes, with baseline, exploration bonus and replay buffer.

Huang et al. 2020, https://arxiv.org/abs/2011.14058. In each step the policy pi_theta, a Bernoulli distribution for each
block i, samples schemes a_1 .. a_m. The reward of a scheme is its accuracy, a bonus for unconnected blocks, and a bonus
for schemes unlike the earlier ones (random network distillation):

    G(a) = accuracy(a) + lambda_1 unconnected(a) - base + lambda_2 rnd(a)

The on-policy step is REINFORCE with a moving average b of the rewards as baseline:

    b <- beta b + (1 - beta) mean_k G(a_k)
    L = -1/m sum_k A_k sum_i log pi_theta(a_ki),    A_k = G(a_k) - b

It is followed by an off-policy step on a random step of the replay buffer, with importance ratios clipped as in PPO
(Schulman et al. 2017, https://arxiv.org/abs/1707.06347):

    L = -weight/m sum_k sum_i min(r_ki A_k, clip(r_ki, 1 - eps, 1 + eps) A_k),    r_ki = pi_theta(a_ki) / pi_old(a_ki)
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...config.ean import EanConfig
from ...utils.errors import TrainingError, UserError
from .controller import Controller, RNDBonus
from .replay import ReplayBuffer, ReplayStep
from .searcher import Searcher

_CLIP = 2.5  # of the logits


class EanSearch(Searcher):
    """EAN's search, see the module's docstring.

    With `config.variant` "reference" it does what the authors' code does where that differs from the paper:

    - the logits are not clipped by tanh;
    - all schemes of a step get the same bonus, the sum; the replay buffer stores the rewards without it;
    - with more than two schemes a step, the actions stored and shown to the RND networks are in the wrong order;
    - the loss of a replayed step is the minimum of two sums over all actions of ratio, clipped or not, times
      log-probability times advantage, where the ratio is a constant.

    Args:
        blocks, evaluate: as of `Searcher`.
        config: an `EanConfig`; each step evaluates 1 + validate_size schemes.
        options: reward, seed, details: as of `Searcher`.

    Attributes:
        controller: the policy.
        rnd: the exploration bonus.
        replay: the `ReplayBuffer`.
        baseline: moving average of the rewards; None before the first step.
        probability_history: each block's probability to be connected, (blocks,), after each step.
    """

    name = "ean"
    controller: Controller
    rnd: RNDBonus
    replay: ReplayBuffer
    baseline: float | None
    probability_history: list[np.ndarray]

    def __init__(
        self,
        blocks: int,
        evaluate: Callable[[list[str]], Sequence[float]],
        config: EanConfig | None = None,
        **options: Any,
    ) -> None:
        self.config = config or EanConfig()
        super().__init__(blocks, evaluate, samples_per_step=1 + self.config.validate_size, **options)
        self._reference, lr = self.config.variant == "reference", self.config.controller_lr
        clip = None if self._reference else _CLIP
        self.controller = Controller(blocks, self.random, temperature=self.config.temperature, clip=clip, lr=lr)
        self.rnd = RNDBonus(blocks, self.random, lr=lr)
        self.replay, self.baseline, self.probability_history = ReplayBuffer(self.config.buffer), None, []

    def propose(self) -> np.ndarray:
        """Samples from the policy, see `Searcher.propose`."""
        return self.controller.sample(self.samples_per_step, self.random)

    def learn(self, actions: np.ndarray, rewards: np.ndarray) -> dict[str, np.ndarray]:
        """The on-policy step and, from step `replay_from` on, an off-policy one.

        Args:
            actions, rewards: as of `Searcher.learn`.

        Returns:
            What `learn_on_policy` gives.

        Raises:
            TrainingError: the controller or the bonus is not finite any more.
        """
        with np.errstate(all="ignore"):  # what overflows is an error below
            extra = self.learn_on_policy(actions, rewards)
            if self.steps >= self.config.replay_from and self.config.replay_weight:
                self.learn_from_replay(self.replay.sample(self.random))
            connected = self.controller.probabilities()[:, 1]
        learned = (
            *extra.values(),
            connected,
            *self.controller.adam.arrays().values(),
            *self.rnd.adam.arrays().values(),
        )
        if not all(np.isfinite(values).all() for values in learned):
            raise TrainingError(
                f"the controller holds values that are not finite after step {self.steps}; lower option controller_lr"
            )
        self.probability_history.append(connected)
        return extra

    def learn_on_policy(self, actions: np.ndarray, rewards: np.ndarray) -> dict[str, np.ndarray]:
        """REINFORCE on the schemes just sampled; they go to the replay buffer.

        Args:
            actions: (samples, blocks).
            rewards: (samples,), without the exploration bonus.

        Returns:
            Bonus, baseline and loss of the controller, each (samples,).
        """
        stored = _interleaved(actions) if self._reference else actions
        log_probabilities = self.controller.log_probabilities(actions)
        bonus = self.rnd.bonus(stored) * self.config.bonus
        if self._reference:
            bonus = np.full(len(bonus), bonus.sum())
        total = rewards + bonus
        probabilities = np.exp(log_probabilities)
        self.replay.add(ReplayStep(self.steps, stored, probabilities, rewards if self._reference else total))
        decay = self.config.baseline_decay
        self.baseline = (
            float(total.mean()) if self.baseline is None else float(decay * self.baseline + (1 - decay) * total.mean())
        )
        advantage = (total - self.baseline)[:, None] / len(total)
        gradients = self.controller.gradients(actions, np.broadcast_to(-advantage, actions.shape))
        self.rnd.learn(stored)
        self.controller.adam.step(gradients)
        scalars = {"baseline": self.baseline, "controller_loss": -(advantage * log_probabilities).sum()}
        return {"bonus": bonus, **{name: np.full(len(total), value) for name, value in scalars.items()}}

    def learn_from_replay(self, old: ReplayStep) -> float:
        """The off-policy step.

        Args:
            old: a step of the replay buffer.

        Returns:
            The loss.
        """
        log_probabilities = self.controller.log_probabilities(old.actions)
        ratio = np.exp(log_probabilities) / old.probabilities
        clipped = np.clip(ratio, 1 - self.config.ratio_clip, 1 + self.config.ratio_clip)
        advantage = (old.rewards - self.baseline)[:, None] * self.config.replay_weight / len(old.rewards)
        if self._reference:
            sums = [(factor * log_probabilities * advantage).sum() for factor in (ratio, clipped)]
            loss, gradient = -min(sums), (ratio if sums[0] <= sums[1] else clipped) * advantage
        else:
            # by the log-probability: 0 where the clipped ratio is the minimum, else ratio * advantage
            unclipped = ratio * advantage <= clipped * advantage
            loss = -np.minimum(ratio * advantage, clipped * advantage).sum()
            gradient = np.where(unclipped, ratio * advantage, 0)
        self.controller.adam.step(self.controller.gradients(old.actions, -gradient))
        return float(loss)

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """See `Searcher.state`."""
        arrays, plain = super().state()
        arrays |= {f"{part}/{name}": w for part, group in self._network_arrays().items() for name, w in group.items()}
        arrays |= {f"replay/{name}": w for name, w in self.replay.arrays().items()}
        arrays["course"] = np.array(self.probability_history).reshape(-1, self.blocks)
        steps = [self.controller.adam.steps, self.rnd.adam.steps]
        return arrays, {**plain, "config": self.config.to_dict(), "baseline": self.baseline, "adam": steps}

    def set_state(self, arrays: Mapping[str, np.ndarray], plain: Mapping[str, Any]) -> None:
        """Restores the state of a search, of whose options only `steps` may differ.

        Args:
            arrays, plain: as of `Searcher.set_state`.

        Raises:
            UserError: if the saved search had other arguments or options.
        """
        saved = EanConfig.from_dict(plain.get("config", {}), "the saved search").replace(steps=self.config.steps)
        if saved != self.config:
            changed = [key for key, value in self.config.to_dict().items() if saved.to_dict()[key] != value]
            raise UserError(f"the saved search was begun with another {', '.join(changed)}: give the same options")
        super().set_state(arrays, plain)
        for part, group in self._network_arrays().items():
            for name, w in group.items():
                w[:] = arrays[f"{part}/{name}"]
        self.replay.set_arrays({name[7:]: w for name, w in arrays.items() if name.startswith("replay/")})
        self.controller.adam.steps, self.rnd.adam.steps = plain["adam"]
        self.probability_history, self.baseline = list(arrays["course"]), plain["baseline"]

    def _network_arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """Key in the saved state -> arrays of a network."""
        return {
            "controller": self.controller.adam.arrays(),
            "fixed": self.rnd.fixed.weights,
            "learner": self.rnd.adam.arrays(),
        }


def _interleaved(actions: np.ndarray) -> np.ndarray:
    """The actions as the authors' code stores them: after the first row, all rows transposed, then cut into rows."""
    rest = actions[1:]
    return np.concatenate([actions[:1], rest.T.reshape(rest.shape)])
