"""What a study runs, as plain data: the options that all runs share, and those in which they differ."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...config.scores import ACCURACY, Score
from ...config.tasks import CLASSIFICATION, TrainingTask, task_named, task_of
from ...utils.errors import UserError
from ...utils.seed import generator
from ..implied_options import with_implied
from ..options import Options
from .space import Dimension, Factor, Suggest, from_dict

_VERSION = 1
_STREAM = 41  # of the random numbers of a random search
METHODS = ("grid", "random", "bayes")
COMPARISON, SWEEP = "comparison", "sweep"


@dataclass(frozen=True)
class StudyPlan:
    """A set of training runs.

    Attributes:
        options: what all runs share.
        space: the options in which they differ.
        seeds: the seeds that every combination of a grid is trained with; more may be added later.
        method: "grid" runs every combination; "random" and "bayes" (TPE, Bergstra et al. 2011) sample `count` of them.
        count: number of runs; None: the whole grid.
        score: what is compared and optimized: of the last epoch.
        early: arguments of Optuna's `HyperbandPruner` (Li et al. 2018), which ends bad runs early; None: no run is.
        target: a score with which no new run is begun; None: all runs are.
        kind: "comparison" or "sweep", which decides what its page shows.

    Raises:
        UserError: two entries have one key, an option is fixed and varied, or a value does not fit its option.
    """

    options: Options
    space: tuple[Dimension, ...]
    seeds: tuple[int, ...] = (1,)
    method: str = "grid"
    count: int | None = None
    score: Score = ACCURACY
    early: Mapping[str, Any] | None = None
    target: float | None = None
    kind: str = COMPARISON

    def __post_init__(self) -> None:
        keys = [one.key for one in self.space]
        own = next((key for key in _OWN if key in keys or self.options.asked(key) not in (None, False)), None)
        if own:
            raise UserError(f"option {own.partition('.')[2]} is for single runs: leave it out")
        twice = next((key for number, key in enumerate(keys) if key in keys[:number]), None)
        if twice:
            raise UserError(f"{twice} is varied twice: give one list of its values")
        Factor("train.seed", self.seeds)
        if self.method == "grid":
            endless = next((one.key for one in self.space if not isinstance(one, Factor)), None)
            if endless:
                raise UserError(f"{endless} has no list of values, which a grid needs")
            size = math.prod(len(one.values) for one in self.space if isinstance(one, Factor))
            if size > _MOST:
                raise UserError(f"a grid of {size} combinations is too large: take fewer values, or method random")
        elif self.count is None:
            raise UserError(f"method {self.method} has no end: give option trials, the number of runs")
        if self.count is not None and self.count < 1:
            raise UserError(f"option trials must be at least 1, got {self.count}")
        for values in self.samples:
            self.run_options(values).config()  # a value that does not fit is told before anything runs

    def __len__(self) -> int:
        whole = len(self.seeds) * len(self.combinations) if self.method == "grid" else math.inf
        return int(min(whole, math.inf if self.count is None else self.count))

    @property
    def task(self) -> TrainingTask:
        """What the runs train for."""
        return task_of(self.options.kind)

    @cached_property
    def combinations(self) -> list[dict[str, Any]]:
        """Every combination of a grid, the last option changing fastest; [] for other methods."""
        if self.method != "grid":
            return []
        values = [one.values for one in self.space if isinstance(one, Factor)]
        return [dict(zip((one.key for one in self.space), row, strict=True)) for row in itertools.product(*values)]

    def seed(self, number: int) -> int:
        """The seed of run `number`. Seeds change slowest, so that further seeds leave the numbers as they are."""
        return self.seeds[number // len(self.combinations)] if self.combinations else self.seeds[0]

    def stored(self, number: int) -> dict[str, Any]:
        """The parameters of run `number` that are known beforehand, as Optuna holds them; {} where it samples them."""
        if self.method == "grid":
            values = self.combinations[number % len(self.combinations)]
            return {key: text for one in self.space for key, text in one.stored(values[one.key]).items()}
        if self.method == "bayes":
            return {}
        quantiles = generator(self.seeds[0], _STREAM, number).random(len(self.space))
        stored = {}
        for one, quantile in zip(self.space, quantiles, strict=True):
            stored.update(one.stored(one.value(quantile) if isinstance(one, Factor) else quantile))
        return stored

    def suggest(self, trial: Suggest) -> dict[str, Any]:
        """The options of a run that differ, "group.name" -> value, as an Optuna trial suggests them."""
        return {one.key: one.suggest(trial) for one in self.space}

    def run_options(self, values: Mapping[str, Any], seed: int | None = None) -> Options:
        """The options of one run, those that its network implies included.

        Args:
            values: the options that differ, "group.name" -> value.
            seed: of the run (default: the first).
        """
        options = self.options
        if "train.seed" not in values:
            options = options.override("train.seed", self.seeds[0] if seed is None else seed)
        for key, value in values.items():
            options = options.override(key, value)
        return with_implied(options)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` reads back."""
        return {
            "version": _VERSION,
            "kind": self.kind,
            "task": self.task.name,
            "method": self.method,
            "count": self.count,
            "score": [self.score.key, self.score.name, self.score.higher_is_better],
            "early": self.early and dict(self.early),
            "target": self.target,
            "space": _plain([one.to_dict() for one in self.space]),
            "seeds": list(self.seeds),
            "options": {name: _plain(getattr(self.options, name)) for name in ("defaults", "recipe", "given")},
        }

    @classmethod
    def from_dict(cls, data: Any) -> "StudyPlan":
        """Build from plain data.

        Raises:
            UserError: it is not what `to_dict` gives.
        """
        if not isinstance(data, dict) or data.get("version") != _VERSION:
            raise UserError(f"not a study of version {_VERSION}")
        try:
            task = task_named(data.get("task", CLASSIFICATION.name))  # earlier versions knew no other one
            return cls(
                Options(task.config, **data["options"]), tuple(map(from_dict, data["space"])), tuple(data["seeds"]),
                data["method"], data["count"], Score(*data["score"]), data["early"], data["target"], data["kind"],
            )  # fmt: skip
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise UserError(f"not a study: {error}") from None

    def conflict(self, other: "StudyPlan") -> str | None:
        """What keeps two plans from being one study, in words; None if one only has more seeds or more runs."""
        shorter, longer = sorted((other, self), key=lambda one: len(one.seeds))
        return shorter._difference(longer)

    def _difference(self, other):
        mine, theirs = self.to_dict(), other.to_dict()
        for key, words in _DIFFERENCES.items():
            if mine[key] != theirs[key]:
                return f"{words}{_told(mine, theirs) if key == 'space' else ''}"
        if theirs["seeds"][: len(self.seeds)] != mine["seeds"]:
            return "other seeds"
        before, after = (plan.options.config().to_dict() for plan in (self, other))
        changed = [
            f"{group}.{key}"
            for group, values in before.items()
            for key in values
            if values[key] != after[group][key] and (group, key) not in _FREE
        ]
        return f"other options ({', '.join(changed)})" if changed else None

    @property
    def samples(self) -> list[dict[str, Any]]:
        """Combinations that are tried before anything runs: of other methods than a grid every value of a list once."""
        return self.combinations[:_CHECKED] if self.method == "grid" else self._corners()

    def _corners(self):
        """The smallest and the largest values, and every value of a list once."""
        ends = [{one.key: one.value(quantile) for one in self.space} for quantile in (0.0, 1.0 - 1e-9)]
        lists = [one for one in self.space if isinstance(one, Factor)]
        return [*ends, *({**ends[0], one.key: value} for one in lists for value in one.values)]


_CHECKED = 1000  # combinations of a grid whose options are checked beforehand
_MOST = 100_000  # combinations of a grid
#: options of a single run that a study decides by itself
_OWN = ("train.run_dir", "train.resume", "train.evaluate", "train.benchmark", "train.data_benchmark")
_DIFFERENCES = {
    "kind": "another command",
    "task": "another task",
    "method": "another method",
    "space": "other values",
    "score": "another metric",
    "early": "other pruning",
}
#: options that may change when a study is resumed
_FREE = {("train", "seed"), ("data", "num_workers"), ("data", "data_dir"), ("train", "log_interval")}


def _told(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """The options whose values differ."""
    spaces = [{entry["key"]: entry for entry in data["space"]} for data in (one, other)]
    keys = dict.fromkeys([*spaces[0], *spaces[1]])
    return f" of {', '.join(key for key in keys if spaces[0].get(key) != spaces[1].get(key))}"


def _plain(value: Any) -> Any:
    """Lists for tuples, as YAML and JSON have them."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
