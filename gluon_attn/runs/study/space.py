"""The options that a study varies, and the values that each may take.

A distribution maps a number between 0 and 1 to a value, its quantile; so a value follows from seed and run number.
Optuna's samplers suggest values themselves where they know the distribution, and the quantile where they do not.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ...utils.errors import UserError

#: end of the name of a parameter that holds a quantile
QUANTILE = " (quantile)"
#: suggests values, as Optuna's `Trial` does
Suggest = Any


@dataclass(frozen=True)
class Factor:
    """An option with a list of values.

    Attributes:
        key: "group.name" of the option.
        values: what it takes, in order.
        weights: probability of each value when sampled at random; None: all the same.

    Raises:
        UserError: there is no value, one is there twice, or the weights are no probabilities.
    """

    key: str
    values: Sequence[Any]
    weights: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if not self.values:
            raise UserError(f"{self.key} has no values")
        texts = [_text(value) for value in self.values]
        twice = next((text for number, text in enumerate(texts) if text in texts[:number]), None)
        if twice is not None:
            raise UserError(f"{self.key} has {twice} twice: give each value once")
        weights = self.weights if self.weights is not None else [1 / len(self.values)] * len(self.values)
        if len(weights) != len(self.values) or not (min(weights) >= 0 and abs(sum(weights) - 1) <= 1e-6):  # NaN, too
            raise UserError(f"{self.key} needs one probability per value, and their sum must be 1")

    def value(self, quantile: float) -> Any:
        """The value at a quantile."""
        weights = self.weights or [1 / len(self.values)] * len(self.values)
        total = 0.0
        for value, weight in zip(self.values, weights, strict=True):
            total += weight
            if quantile < total:
                return value
        return self.values[-1]

    def suggest(self, trial: Suggest) -> Any:
        """The value that a trial suggests."""
        texts = [_text(value) for value in self.values]
        return self.values[texts.index(trial.suggest_categorical(self.key, texts))]

    def stored(self, value: Any) -> dict[str, Any]:
        """A value as the trial's parameters hold it: what `suggest` reads."""
        return {self.key: _text(value)}

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` reads back."""
        weights = {} if self.weights is None else {"weights": list(self.weights)}
        return {"key": self.key, "values": list(self.values), **weights}


@dataclass(frozen=True)
class Distribution:
    """An option with a distribution of numbers.

    Attributes:
        key: "group.name" of the option.
        kind: "uniform", "log_uniform" (the logarithm is uniform) or "inv_log_uniform" (that of the reciprocal), from
            `low` to `high`; "normal" or "log_normal" (the logarithm is normal), with `low` as mean and `high` as
            standard deviation.
        low, high: see `kind`.
        step: values are rounded to multiples of it; None: not at all.
        whole: whether values are whole numbers.

    Raises:
        UserError: the bounds are no bounds.
    """

    key: str
    kind: str
    low: float
    high: float
    step: float | None = None
    whole: bool = False

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.low, self.high))):
            raise UserError(f"{self.key} needs finite bounds, got {self.low} and {self.high}")
        if self.step is not None and not self.step > 0:
            raise UserError(f"{self.key} needs a step above 0, got {self.step}")
        if self._is_normal:
            if not self.high > 0:
                raise UserError(f"{self.key} needs a standard deviation above 0, got {self.high}")
        elif self.low > self.high:
            raise UserError(f"{self.key} has its minimum {self.low:g} above its maximum {self.high:g}")
        elif self.kind != "uniform" and self.low <= 0:
            raise UserError(f"{self.key} is logarithmic: its minimum must be above 0, got {self.low:g}")

    @property
    def _is_normal(self) -> bool:
        return self.kind in ("normal", "log_normal")

    def value(self, quantile: float) -> float | int:
        """The value at a quantile."""
        if self.whole and self.kind == "uniform":
            return min(int(self.high), math.floor(_uniform(self.low, self.high + 1, quantile)))
        return self._rounded(_QUANTILES[self.kind](self.low, self.high, quantile))

    def suggest(self, trial: Suggest) -> float | int:
        """The value that a trial suggests."""
        if self.whole and self.kind == "uniform":
            return trial.suggest_int(self.key, int(self.low), int(self.high))
        if self.kind in ("uniform", "log_uniform"):
            return self._rounded(trial.suggest_float(self.key, self.low, self.high, log=self.kind == "log_uniform"))
        return self.value(trial.suggest_float(f"{self.key}{QUANTILE}", 1e-6, 1 - 1e-6))

    def stored(self, quantile: float) -> dict[str, Any]:
        """The value at a quantile as the trial's parameters hold it: what `suggest` reads."""
        if self.whole and self.kind == "uniform":
            return {self.key: self.value(quantile)}
        if self.kind in ("uniform", "log_uniform"):
            return {self.key: _QUANTILES[self.kind](self.low, self.high, quantile)}
        return {f"{self.key}{QUANTILE}": min(max(quantile, 1e-6), 1 - 1e-6)}

    def _rounded(self, value: float) -> float | int:
        if self.step is not None:
            value = round(value / self.step) * self.step
        return round(value) if self.whole else float(value)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` reads back."""
        return asdict(self)


Dimension = Factor | Distribution


def from_dict(data: Mapping[str, Any]) -> Dimension:
    """A `Factor` or `Distribution` from what its `to_dict` gives."""
    if "values" in data:
        weights = data.get("weights")
        return Factor(data["key"], tuple(data["values"]), None if weights is None else tuple(weights))
    return Distribution(**data)


def _text(value: Any) -> str:
    """A value as Optuna's categorical parameters hold it: text, which every storage takes."""
    try:
        return value if isinstance(value, str) else json.dumps(value)
    except (TypeError, ValueError):
        raise UserError(f"no option takes {value!r}") from None


def _normal(mean: float, deviation: float, quantile: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(min(max(quantile, 1e-6), 1 - 1e-6), mean, deviation))


def _uniform(low: float, high: float, quantile: float) -> float:
    return low + (high - low) * quantile


#: kind -> function (low, high, quantile) -> value
_QUANTILES: dict[str, Callable[[float, float, float], float]] = {
    "uniform": _uniform,
    "log_uniform": lambda low, high, quantile: math.exp(_uniform(math.log(low), math.log(high), quantile)),
    "inv_log_uniform": lambda low, high, quantile: 1 / math.exp(_uniform(-math.log(high), -math.log(low), quantile)),
    "normal": _normal,
    "log_normal": lambda mean, deviation, quantile: math.exp(_normal(mean, deviation, quantile)),
}
