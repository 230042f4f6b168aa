"""Frozen dataclasses that are options, flags and YAML at once: each option stands in one place.

A field made by `option` carries its help text, extra flag spellings and check. `Config.from_dict` reads plain
data (YAML, JSON) and fails on an unknown key; `cli/flags.py` makes the command line from the same fields.
"""

import contextlib
import dataclasses
import math
import numbers
import types
import typing
from dataclasses import dataclass

from ..utils.errors import UserError
from ..utils.suggest import did_you_mean


def option(default, help, *, flags=(), choices=None, check=None, metavar=None, several=False):
    """A dataclass field for one option.

    `flags` are further spellings on the command line (the first, `--field-name`, comes by itself); `check` is
    a function that gets the value and returns a complaint such as "must be at least 1", or None. `several`: the
    command line takes the values as words of their own, too.
    """
    metadata = {
        "help": help, "flags": tuple(flags), "choices": choices, "check": check, "metavar": metavar, "several": several,
    }  # fmt: skip
    if isinstance(default, (dict, list)):
        return dataclasses.field(default_factory=lambda: type(default)(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def at_least(least):
    """Check: the value (or each of several) is `least` or more."""
    return lambda value: None if _all(value, lambda v: v >= least) else f"must be at least {least}"


def above(least):
    """Check: the value is more than `least`."""
    return lambda value: None if _all(value, lambda v: v > least) else f"must be above {least}"


def between(least, most):
    """Check: least <= value <= most."""
    return lambda value: None if _all(value, lambda v: least <= v <= most) else f"must be from {least} to {most}"


def rate(value):
    """Check: 0 <= value < 1."""
    return None if 0 <= value < 1 else "must be from 0 to below 1"


def connection_bits(value: str) -> str | None:
    """Check: a connection scheme, one 0 or 1 per block of a network."""
    return None if value and set(value) <= {"0", "1"} else "must be zeros and ones, one per block"


def _all(value, holds):
    return all(holds(item) for item in (value if isinstance(value, (tuple, list)) else [value]))


@dataclass(frozen=True)
class Config:
    """Base of all option groups. Values are converted to their field's type and checked on construction."""

    def __post_init__(self):
        kinds = field_types(type(self))
        for field in dataclasses.fields(self):
            value = convert(getattr(self, field.name), kinds[field.name], field.name)
            object.__setattr__(self, field.name, value)
            if value is not None:
                _check(field, value)

    @classmethod
    def from_dict(cls, data, where=""):
        """Build from plain data; an unknown key is a `UserError` that names the nearest known one."""
        if not isinstance(data, dict):
            raise UserError(f"{where or 'the config'} must be a mapping of options, got {data!r}")
        known = {field.name for field in dataclasses.fields(cls)}
        kinds, values = field_types(cls), {}
        for key, value in data.items():
            path = f"{where}.{key}" if where else str(key)
            if key not in known:
                raise UserError(f"unknown config key {path!r}{nearest(str(key), known)}")
            kind = kinds[key]
            nested = isinstance(kind, type) and issubclass(kind, Config)
            values[key] = kind.from_dict(value, path) if nested else value
        return cls(**values)

    def to_dict(self):
        """Plain data that `from_dict` reads back: mappings, lists, numbers and text."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    def replace(self, **changes):
        """A copy with some options changed."""
        return dataclasses.replace(self, **changes)


def field_types(cls):
    """Field name -> its type, with text annotations resolved."""
    return typing.get_type_hints(cls)


def nearest(name, known):
    """'; did you mean ...?' or the whole list, for an error message."""
    known = list(known)
    near = did_you_mean(name, known)
    return f"; {near}" if near else f"; known: {', '.join(sorted(known))}"


def convert(value, kind, name):
    """`value` as type `kind`; text is parsed, so that flags, YAML and Python callers share one rule."""
    optional, kind = unwrap_optional(kind)
    if value is None or (optional and isinstance(value, str) and value.lower() in ("none", "null")):
        if optional:
            return None
        raise UserError(f"option {name} needs a value")
    if isinstance(kind, type) and issubclass(kind, Config):
        return value if isinstance(value, kind) else kind.from_dict(value, name)
    if typing.get_origin(kind) is tuple:
        items = [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        items = items if isinstance(items, (list, tuple)) else [items]
        return tuple(convert(item, typing.get_args(kind)[0], name) for item in items)
    return _scalar(value, kind, name)


def unwrap_optional(kind):
    """(True, X) for `X | None`, else (False, kind)."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        rest = [arg for arg in typing.get_args(kind) if arg is not type(None)]
        return True, rest[0]
    return False, kind


_TRUTH = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", dict: "a mapping"}


def _scalar(value, kind, name):
    if kind is bool and str(value).lower() in _TRUTH:
        return _TRUTH[str(value).lower()]
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if kind in (int, float) and (number or isinstance(value, str)):
        # int(2.5) would cut the fraction off in silence; int(nan), int(inf) and float(10**400) raise.
        with contextlib.suppress(ValueError, OverflowError):
            result = kind(value)
            cut = kind is int and number and result != value
            if not cut and (kind is int or not math.isnan(result)):
                return result
    if kind in (str, dict) and isinstance(value, kind):
        return kind(value)
    if kind is str and number:
        return str(value)
    raise UserError(f"option {name} takes {_WORDS[kind]}, got {value!r}")


def _check(field, value):
    choices, check = field.metadata.get("choices"), field.metadata.get("check")
    if choices and not _all(value, lambda v: v in choices):
        raise UserError(f"option {field.name} must be one of {', '.join(map(str, choices))}, got {value!r}")
    complaint = check(value) if check else None
    if complaint:
        raise UserError(f"option {field.name} {complaint}, got {_plain(value)!r}")


def _plain(value):
    if isinstance(value, Config):
        return value.to_dict()
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
