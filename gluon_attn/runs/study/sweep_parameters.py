"""The parameters of a sweep file of Weights & Biases, as options that a study varies."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...config.base import Config
from ...utils.checks import is_number
from ...utils.errors import UserError
from ..options import place_of
from .space import Dimension, Distribution, Factor

#: distribution -> (kind of `Distribution`, keys of its bounds, whether these are logarithms, whole numbers)
_DISTRIBUTIONS: dict[str, tuple[str, tuple[str, str], bool, bool]] = {
    "int_uniform": ("uniform", ("min", "max"), False, True),
    "uniform": ("uniform", ("min", "max"), False, False),
    "log_uniform": ("log_uniform", ("min", "max"), True, False),
    "log_uniform_values": ("log_uniform", ("min", "max"), False, False),
    "inv_log_uniform": ("inv_log_uniform", ("min", "max"), True, False),
    "inv_log_uniform_values": ("inv_log_uniform", ("min", "max"), False, False),
    "normal": ("normal", ("mu", "sigma"), False, False),
    "log_normal": ("log_normal", ("mu", "sigma"), False, False),
}
_STEPS = ("uniform", "log_uniform", "log_uniform_values", "normal", "log_normal")  # that have a form q_...
_BOUNDS = {"mu": 0.0, "sigma": 1.0}
_CONSTRAINTS = {"value", "values", "probabilities", "distribution", "min", "max", "mu", "sigma", "q"}


def read_parameters(
    entries: Any, method: str, note: Callable[[str], None], kind: type[Config], path: str = ""
) -> tuple[list[Dimension], dict[str, Any]]:
    """Understand the parameters of a sweep.

    Args:
        entries: name -> constraints, or a mapping with further parameters, whose names are joined by dots.
        method: of the sweep.
        note: called with a line where a name was understood as another one.
        kind: the class of the options.
        path: name of the group that `entries` belong to.

    Returns:
        (the options that are varied, "group.name" -> value of those that are fixed).

    Raises:
        UserError: a name or a constraint is not known, or does not fit; the message names the parameter.
    """
    if not isinstance(entries, Mapping) or not entries:
        raise UserError(f"key {path or 'parameters'} must be a mapping of parameters, got {entries!r}")
    space: list[Dimension] = []
    fixed: dict[str, Any] = {}
    for name, entry in entries.items():
        place = f"{path}.{name}" if path else str(name)
        if isinstance(entry, Mapping) and "parameters" in entry:
            inner, inner_fixed = read_parameters(entry["parameters"], method, note, kind, place)
            space += inner
            fixed |= inner_fixed
            continue
        key = place_of(kind, place)
        if key not in (place, f"{key.partition('.')[0]}.{place}"):
            note(f"parameter {place} is our {key}")
        _check(entry, place)
        if "value" in entry:
            fixed[key] = entry["value"]
        else:
            space.append(_dimension(key, entry, place, method))
    return space, fixed


def _check(entry: Any, place: str) -> None:
    if not isinstance(entry, Mapping):
        raise UserError(f"parameter {place} must be a mapping with value, values or a distribution, got {entry!r}")
    unknown = next((key for key in entry if key not in _CONSTRAINTS), None)
    if unknown:
        raise UserError(f"parameter {place} has the unknown key {unknown}")


def _dimension(key: str, entry: Mapping[str, Any], place: str, method: str) -> Dimension:
    kind = entry["distribution"] if "distribution" in entry else _usual(entry, place)
    if kind == "categorical":
        return _factor(key, entry, place, method)
    if kind == "constant":
        raise UserError(f"parameter {place} is constant: give it a value")
    if not isinstance(kind, str):
        raise UserError(f"parameter {place} needs the name of a distribution, got {kind!r}")
    base = kind.removeprefix("q_")
    if base not in _DISTRIBUTIONS or (base != kind and base not in _STEPS):
        raise UserError(f"parameter {place} has the distribution {kind!r}, which is not known here")
    ours, names, logarithms, whole = _DISTRIBUTIONS[base]
    low, high = (_bound(entry, name, place, logarithms) for name in names)
    step = _bound({"q": 1, **entry}, "q", place) if base != kind else None
    try:
        return Distribution(key, ours, low, high, step=step, whole=whole or (step is not None and step == int(step)))
    except UserError as error:
        raise UserError(f"parameter {place}: {error}") from None


def _factor(key: str, entry: Mapping[str, Any], place: str, method: str) -> Factor:
    values, weights = entry.get("values"), entry.get("probabilities")
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise UserError(f"parameter {place} needs a list of values, got {values!r}")
    if weights is not None and method != "random":
        raise UserError(f"parameter {place}: key probabilities goes with method random only")
    if weights is not None and not (isinstance(weights, Sequence) and all(map(is_number, weights))):
        raise UserError(f"parameter {place} needs a list of numbers as probabilities, got {weights!r}")
    try:
        return Factor(key, tuple(values), None if weights is None else tuple(weights))
    except UserError as error:
        raise UserError(f"parameter {place}: {error}") from None


def _usual(entry: Mapping[str, Any], place: str) -> str:
    """The distribution of a parameter that names none."""
    if "values" in entry:
        return "categorical"
    if "min" in entry and "max" in entry:
        whole = all(isinstance(entry[key], int) and not isinstance(entry[key], bool) for key in ("min", "max"))
        return "int_uniform" if whole else "uniform"
    if "mu" in entry or "sigma" in entry:
        return "normal"
    raise UserError(f"parameter {place} needs value, values, min and max, or a distribution")


def _bound(entry: Mapping[str, Any], name: str, place: str, is_logarithm: bool = False) -> float:
    value = entry.get(name, _BOUNDS.get(name))
    try:
        number = float("nan" if isinstance(value, bool) else value)  # YAML reads 1e-3 as text
        number = math.exp(number) if is_logarithm else number
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        words = "the logarithm of a number" if is_logarithm else "a number"
        raise UserError(f"parameter {place} needs {words} as {name}, got {value!r}")
    return int(number) if number == int(number) and isinstance(value, int) and not is_logarithm else number
