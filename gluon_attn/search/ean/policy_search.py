"""EAN's search for where to plug a shared attention."""

import numpy as np

from ...config.ean import EanConfig
from ...utils.errors import UserError
from .controller import Controller, Novelty
from .replay import Memory, Replay
from .searcher import Searcher


class EanSearch(Searcher):
    """Policy gradient with a moving average as baseline, a bonus for new schemes and replay.

    Huang et al. 2020, https://arxiv.org/abs/2011.14058. `course` has each block's chance to be connected, a row behind
    each step.

    blocks, evaluate, reward, seed, details: as in `Searcher`. config: an `EanConfig`; it tries 1 + validate_size
    schemes a step.

    variant="reference" does as the authors' code where that is not what it means to do: the controller's outputs are
    not limited by tanh; the bonus is one number, the sum over a step's schemes, and old steps are remembered without
    it; the choices remembered and shown to the bonus networks are in disorder where validate_size is above 1; an old
    step's loss is the lesser of two sums of ratio, limited or not, times log-chance times advantage, the ratio a
    constant. In the paper's the lesser is taken for each choice, and the gradient goes through the ratio.
    """

    name = "ean"

    def __init__(self, blocks, evaluate, config=None, **options):
        self.config = config or EanConfig()
        super().__init__(blocks, evaluate, samples=1 + self.config.validate_size, **options)
        self._theirs, rate = self.config.variant == "reference", self.config.controller_lr
        clip = None if self._theirs else 2.5
        self.controller = Controller(blocks, self.random, temperature=self.config.temperature, clip=clip, rate=rate)
        self.novelty = Novelty(blocks, self.random, rate=rate)
        self.replay, self.baseline, self.course = Replay(self.config.buffer), None, []

    def propose(self):
        return self.controller.sample(self.count, self.random)

    def learn(self, actions, rewards):
        extra = self.learn_new(actions, rewards)
        if self.steps >= self.config.replay_from and self.config.replay_weight:
            self.learn_old(self.replay.pick(self.random))
        self.course.append(self.controller.chances()[:, 1])
        return extra

    def learn_new(self, actions, rewards):
        """The step on schemes just tried; returns what the record says of each sample."""
        kept = _disordered(actions) if self._theirs else actions
        log_chances = self.controller.log_chances(actions)
        bonus = self.novelty.bonus(kept) * self.config.bonus
        if self._theirs:
            bonus = np.full(len(bonus), bonus.sum())
        total = rewards + bonus
        chances = np.exp(log_chances)
        self.replay.add(Memory(self.steps, kept, chances, rewards if self._theirs else total))
        decay = self.config.baseline_decay
        self.baseline = (
            float(total.mean()) if self.baseline is None else float(decay * self.baseline + (1 - decay) * total.mean())
        )
        advantage = (total - self.baseline)[:, None] / len(total)
        gradients = self.controller.gradients(actions, np.broadcast_to(-advantage, actions.shape))
        self.novelty.learn(kept)
        self.controller.adam.step(gradients)
        each = {"baseline": self.baseline, "controller_loss": -(advantage * log_chances).sum()}
        return {"bonus": bonus, **{name: np.full(len(total), value) for name, value in each.items()}}

    def learn_old(self, memory):
        """The step on a memory; returns its loss."""
        log_chances = self.controller.log_chances(memory.actions)
        ratio = np.exp(log_chances) / memory.chances
        limited = np.clip(ratio, 1 - self.config.ratio_clip, 1 + self.config.ratio_clip)
        advantage = (memory.rewards - self.baseline)[:, None] * self.config.replay_weight / len(memory.rewards)
        if self._theirs:
            sums = [(factor * log_chances * advantage).sum() for factor in (ratio, limited)]
            loss, slopes = -min(sums), (ratio if sums[0] <= sums[1] else limited) * advantage
        else:
            # where the limit is the lesser it is constant; the slope of the ratio by the log-chance is the ratio
            free = ratio * advantage <= limited * advantage
            loss = -np.minimum(ratio * advantage, limited * advantage).sum()
            slopes = np.where(free, ratio * advantage, 0)
        self.controller.adam.step(self.controller.gradients(memory.actions, -slopes))
        return float(loss)

    def state(self):
        arrays, plain = super().state()
        arrays |= {f"{part}/{name}": w for part, group in self._parts().items() for name, w in group.items()}
        arrays |= {f"replay/{name}": w for name, w in self.replay.arrays().items()}
        arrays["course"] = np.array(self.course).reshape(-1, self.blocks)
        steps = [self.controller.adam.steps, self.novelty.adam.steps]
        return arrays, {**plain, "config": self.config.to_dict(), "baseline": self.baseline, "adam": steps}

    def set_state(self, arrays, plain):
        saved = EanConfig.from_dict(plain.get("config", {}), "the saved search").replace(steps=self.config.steps)
        if saved != self.config:
            changed = [key for key, value in self.config.to_dict().items() if saved.to_dict()[key] != value]
            raise UserError(f"the saved search was begun with another {', '.join(changed)}: give the same options")
        super().set_state(arrays, plain)
        for part, group in self._parts().items():
            for name, w in group.items():
                w[:] = arrays[f"{part}/{name}"]
        self.replay.set_arrays({name[7:]: w for name, w in arrays.items() if name.startswith("replay/")})
        self.controller.adam.steps, self.novelty.adam.steps = plain["adam"]
        self.course, self.baseline = list(arrays["course"]), plain["baseline"]

    def _parts(self):
        return {
            "controller": self.controller.adam.arrays(),
            "fixed": self.novelty.fixed.weights,
            "learner": self.novelty.adam.arrays(),
        }


def _disordered(actions):
    """The rows after the first as the authors' code stores them: the bits of all, block by block, cut into rows."""
    rest = actions[1:]
    return np.concatenate([actions[:1], rest.T.reshape(rest.shape)])
