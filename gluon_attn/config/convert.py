"""Values of options from text or plain data to the types of their fields."""

import contextlib
import math
import os
import types
import typing
from typing import Any

from ..utils.checks import is_number
from ..utils.errors import UserError

_TRUTH = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", dict: "a mapping"}


def convert(value: Any, kind: Any, name: str) -> Any:
    """Convert a value to a type. Text is parsed, so that flags, YAML and Python callers share one rule.

    Args:
        value: what was given.
        kind: int, float, bool, str, dict, `tuple[X, ...]` of one of them, or one of these `| None`.
        name: the option, for the message.

    Raises:
        UserError: the value cannot be converted.
    """
    optional, kind = unwrap_optional(kind)
    if value is None or (optional and isinstance(value, str) and value.lower() in ("none", "null")):
        if optional:
            return None
        raise UserError(f"option {name} needs a value")
    if typing.get_origin(kind) is tuple:
        items = [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        items = items if isinstance(items, (list, tuple)) else [items]
        each = typing.get_args(kind)[0]
        if each in (int, float):  # words of a command line: 640,672 704
            items = [part for item in items for part in (item.split(",") if isinstance(item, str) else [item])]
        return tuple(convert(item, each, name) for item in items)
    return _scalar(value, kind, name)


def unwrap_optional(kind: Any) -> tuple[bool, Any]:
    """(True, X) for the type `X | None`, else (False, kind); `dict[...]` becomes `dict`."""
    optional = typing.get_origin(kind) in (typing.Union, types.UnionType)
    if optional:
        kind = next(arg for arg in typing.get_args(kind) if arg is not type(None))
    return optional, dict if typing.get_origin(kind) is dict else kind


def _scalar(value: Any, kind: type, name: str) -> Any:
    if kind is bool and str(value).lower() in _TRUTH:
        return _TRUTH[str(value).lower()]
    number = is_number(value)
    if kind in (int, float) and (number or isinstance(value, str)):
        # int(2.5) would drop the fraction silently; int(nan), int(inf) and float(10**400) raise
        with contextlib.suppress(ValueError, OverflowError):
            result = kind(value)
            truncated = kind is int and number and result != value
            if not truncated and (kind is int or not math.isnan(result)):
                return result
    if kind is dict and isinstance(value, dict):
        return dict(value)
    if kind is str and (number or isinstance(value, str | os.PathLike)):
        return str(value)
    raise UserError(f"option {name} takes {_WORDS[kind]}, got {value!r}")
