"""Frozen dataclasses that are options, flags and YAML at once: each option is defined in one place.

A field made by `option` carries its help text, extra flag spellings and check. `Config.from_dict` reads plain data
(YAML, JSON) and fails on an unknown key; `cli/flags.py` makes the command line from the same fields.
"""

import dataclasses
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..utils.checks import rate_error as rate
from ..utils.errors import UserError
from ..utils.paths import expanded
from ..utils.suggest import did_you_mean
from .convert import convert, unwrap_optional

__all__ = [
    "Check",
    "Config",
    "above",
    "at_least",
    "between",
    "field_types",
    "nearest",
    "option",
    "rate",
    "unwrap_optional",
]

C = TypeVar("C", bound="Config")
#: value -> what is wrong with it, such as "must be at least 1", or None
Check = Callable[[Any], str | None]


def option(
    default: Any,
    help: str,
    *,
    flags: Iterable[str] = (),
    choices: Sequence[str] | None = None,
    check: Check | None = None,
    metavar: str | None = None,
    several: bool = False,
    path: bool = False,
) -> Any:
    """A dataclass field for one option.

    Args:
        default: its value if nothing is given.
        help: one line for `--help`.
        flags: further spellings on the command line; the first, `--field-name`, comes by itself.
        choices: the values that are allowed.
        check: for what `choices` cannot say.
        metavar: placeholder of the value in `--help`.
        several: whether the command line also takes the values as separate words.
        path: whether it is a path, whose leading ~ is the home folder.
    """
    metadata = {
        "help": help, "flags": tuple(flags), "choices": choices, "check": check, "metavar": metavar, "several": several,
        "path": path,
    }  # fmt: skip
    if isinstance(default, (dict, list)):
        return dataclasses.field(default_factory=lambda: type(default)(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def at_least(minimum: float) -> Check:
    """Check: the value (or each of several) is `minimum` or more."""
    return lambda value: None if _all(value, lambda v: v >= minimum) else f"must be at least {minimum}"


def above(bound: float) -> Check:
    """Check: the value (or each of several) is more than `bound`."""
    return lambda value: None if _all(value, lambda v: v > bound) else f"must be above {bound}"


def between(minimum: float, maximum: float) -> Check:
    """Check: minimum <= value <= maximum, for each of several."""
    words = f"must be from {minimum} to {maximum}"
    return lambda value: None if _all(value, lambda v: minimum <= v <= maximum) else words


def connection_bits(value: str) -> str | None:
    """Check of an option whose value is a connection scheme, one 0 or 1 per block of a network."""
    return None if value and set(value) <= {"0", "1"} else "must be zeros and ones, one per block"


def _all(value: Any, holds: Callable[[Any], bool]) -> bool:
    return all(holds(item) for item in (value if isinstance(value, (tuple, list)) else [value]))


@dataclass(frozen=True)
class Config:
    """Base of all option groups.

    Values are converted to the types of their fields and checked on construction; one that does not fit is a
    `UserError` that names the option.
    """

    def __post_init__(self) -> None:
        kinds = field_types(type(self))
        for field in dataclasses.fields(self):
            value = _converted(getattr(self, field.name), kinds[field.name], field.name)
            value = expanded(value) if field.metadata.get("path") else value
            object.__setattr__(self, field.name, value)
            if value is not None:
                _check(field, value)

    @classmethod
    def from_dict(cls: type[C], data: Any, where: str = "") -> C:
        """Build from plain data.

        Args:
            data: mapping of options; nested groups are mappings, too.
            where: path of the group, for messages.

        Raises:
            UserError: it is no mapping, a key is unknown (the message names the nearest known one), or a value does not
                fit.
        """
        if not isinstance(data, dict):
            raise UserError(f"{where or 'the config'} must be a mapping of options, got {data!r}")
        known = {field.name for field in dataclasses.fields(cls)}
        kinds, values = field_types(cls), {}
        for key, value in data.items():
            path = f"{where}.{key}" if where else str(key)
            if key not in known:
                raise UserError(f"unknown config key {path!r}{nearest(str(key), known)}")
            values[key] = kinds[key].from_dict(value, path) if _is_config(kinds[key]) else value
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` reads back: mappings, lists, numbers and text."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    def replace(self: C, **changes: Any) -> C:
        """A copy with some options changed.

        Args:
            changes: option -> its new value.

        Raises:
            UserError: a value does not fit.
        """
        return dataclasses.replace(self, **changes)


def field_types(cls: type) -> dict[str, Any]:
    """The types of the fields of a dataclass.

    Args:
        cls: the dataclass.

    Returns:
        Name -> type, with text annotations resolved.
    """
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error message about an unknown name.

    Args:
        name: the unknown name.
        known: the names that exist.

    Returns:
        "; did you mean ...?", or "; known: ..." with all names if none is near.
    """
    known = list(known)
    near = did_you_mean(name, known)
    return f"; {near}" if near else f"; known: {', '.join(sorted(known))}"


def _is_config(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Config)


def _converted(value: Any, kind: Any, name: str) -> Any:
    if value is None or not _is_config(kind):
        return convert(value, kind, name)
    return value if isinstance(value, kind) else kind.from_dict(value, name)


def _check(field: "dataclasses.Field[Any]", value: Any) -> None:
    choices, check = field.metadata.get("choices"), field.metadata.get("check")
    if choices and not _all(value, lambda v: v in choices):
        raise UserError(f"option {field.name} must be one of {', '.join(map(str, choices))}, got {value!r}")
    error = check(value) if check else None
    if error:
        raise UserError(f"option {field.name} {error}, got {_plain(value)!r}")


def _plain(value: Any) -> Any:
    if isinstance(value, Config):
        return value.to_dict()
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
