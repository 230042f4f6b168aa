"""What a study runs, as plain data: the options that all runs share, and those in which they differ."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ...config.train import RunConfig
from ...utils.errors import UserError
from ..implied_options import with_implied
from ..options import Layer, Options

#: "group.name" -> value, the options in which one run differs from the others
Point = Mapping[str, Any]
_VERSION = 1


@dataclass(frozen=True)
class Factor:
    """An option that a study varies, with the values it takes.

    Attributes:
        key: "group.name" of the option.
        values: what it takes, in order.

    Raises:
        UserError: there is no value, or one is there twice.
    """

    key: str
    values: Sequence[Any]

    def __post_init__(self) -> None:
        if not self.values:
            raise UserError(f"{self.key} has no values to compare")
        for number, value in enumerate(self.values):
            if value in self.values[:number]:
                raise UserError(f"{self.key} has {value!r} twice: give each value once")


@dataclass(frozen=True)
class StudyPlan:
    """A grid of training runs.

    Attributes:
        options: what all runs share.
        factors: the options in which they differ.
        seeds: the seeds that every combination of the factors is trained with; more may be added later.

    Raises:
        UserError: two factors have one key, an option is fixed and varied, or a value does not fit its option.
    """

    options: Options
    factors: tuple[Factor, ...]
    seeds: tuple[int, ...] = field(default=(1,))

    def __post_init__(self) -> None:
        keys = [factor.key for factor in self.factors]
        twice = next((key for number, key in enumerate(keys) if key in keys[:number]), None)
        if twice:
            raise UserError(f"{twice} is varied twice: give one list of its values")
        Factor("train.seed", self.seeds)
        for combination in self.combinations:
            self.run_options(combination).config()  # a value that does not fit is told before anything runs

    @cached_property
    def combinations(self) -> list[dict[str, Any]]:
        """Every combination of the factors, the last factor changing fastest."""
        keys = [factor.key for factor in self.factors]
        return [dict(zip(keys, values, strict=True)) for values in itertools.product(*(f.values for f in self.factors))]

    @property
    def points(self) -> list[dict[str, Any]]:
        """Every run, by its number. Seeds change slowest, so that further seeds leave the numbers as they are."""
        return [{**combination, "train.seed": seed} for seed in self.seeds for combination in self.combinations]

    def __len__(self) -> int:
        return len(self.seeds) * math.prod(len(factor.values) for factor in self.factors)

    def run_options(self, point: Point) -> Options:
        """The options of one run, those that its network implies included."""
        options = self.options
        for key, value in point.items():
            options = options.override(key, value)
        return with_implied(options)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` reads back."""
        layers = {name: _plain(getattr(self.options, name)) for name in ("defaults", "recipe", "given")}
        factors = [{"key": factor.key, "values": _plain(factor.values)} for factor in self.factors]
        return {"version": _VERSION, "options": layers, "factors": factors, "seeds": list(self.seeds)}

    @classmethod
    def from_dict(cls, data: Any) -> "StudyPlan":
        """Build from plain data.

        Raises:
            UserError: it is not what `to_dict` gives.
        """
        if not isinstance(data, dict) or data.get("version") != _VERSION:
            raise UserError(f"not a study of version {_VERSION}")
        try:
            options = Options(RunConfig, **data["options"])
            factors = tuple(Factor(one["key"], tuple(one["values"])) for one in data["factors"])
            return cls(options, factors, tuple(data["seeds"]))
        except (KeyError, TypeError) as error:
            raise UserError(f"not a study: {error}") from None

    def difference(self, other: "StudyPlan") -> str | None:
        """What another plan has that this one has not, or the reverse; None if it only has further seeds."""
        mine, theirs = self.to_dict(), other.to_dict()
        if mine["factors"] != theirs["factors"]:
            return "other values to compare"
        if theirs["seeds"][: len(self.seeds)] != mine["seeds"]:
            return "other seeds"
        point = self.points[0]
        before, after = (plan.run_options(point).config().to_dict() for plan in (self, other))
        changed = [f"{group}.{key}" for group, values in before.items() for key in values
                   if values[key] != after[group][key]]  # fmt: skip
        return f"other options ({', '.join(changed)})" if changed else None


def _plain(value: Any) -> Any:
    """Lists for tuples, as YAML and JSON have them."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def layer_of(options: Options) -> Layer:
    """All options of a study's runs as one layer, as a recipe holds them."""
    return options.config().to_dict()
