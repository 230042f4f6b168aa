"""Checks of option values.

A check `check(name, value, ...)` returns the value, or raises a `UserError` of one line that has the name of the option
and the value.
"""

import math
from collections.abc import Collection
from numbers import Integral, Real
from typing import Any

from .errors import UserError


def is_number(value: Any) -> bool:
    """Whether `value` is a real number; True and False are none, NumPy's numbers are."""
    return isinstance(value, Real) and not isinstance(value, bool)


def positive_error(value: Any) -> str | None:
    """Why `value` is no whole number above 0, or None if it is one."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    return None if whole and value >= 1 else "must be a whole number above 0"


def rate_error(value: float) -> str | None:
    """Why the number `value` is not in [0, 1), or None if it is."""
    return None if 0 <= value < 1 else "must be from 0 to below 1"


def positive(name: str, value: Any) -> int:
    """Check for a whole number above 0.

    Args:
        name: the option, for the message.
        value: what was given.

    Returns:
        The value as a Python int.

    Raises:
        UserError: it is something else.
    """
    error = positive_error(value)
    if error:
        raise UserError(f"{name} {error}, got {value!r}")
    return int(value)


def positives(name: str, values: Any, count: int | None, each: str = "stage") -> tuple[int, ...]:
    """Check `values` for a list of whole numbers above 0, returned as a tuple.

    Args:
        name: the option, for the message.
        values: what was given.
        count: how many there must be; None: any number.
        each: what each of them is for, for the message.

    Raises:
        UserError: they are something else.
    """
    if not isinstance(values, list | tuple) or count not in (None, len(values)):
        many = "whole numbers" if count is None else f"{count} whole numbers"
        raise UserError(f"{name} must list {many}, one per {each}, got {values!r}")
    return tuple(positive(name, value) for value in values)


def rate(name: str, value: Any) -> float:
    """Check for a number in [0, 1), such as a dropout rate."""
    error = rate_error(value if is_number(value) else math.nan)
    if error:
        raise UserError(f"{name} {error}, got {value!r}")
    return value


def above(name: str, value: Any) -> float:
    """Check for a finite number above 0."""
    if not is_number(value) or not 0 < value < math.inf:
        raise UserError(f"{name} must be a number above 0, got {value!r}")
    return value


def switch(name: str, value: Any) -> bool:
    """Check for True or False; text such as "no" would count as true."""
    if not isinstance(value, bool):
        raise UserError(f"{name} must be true or false, got {value!r}")
    return value


def odd(name: str, value: Any) -> int:
    """Check for an odd whole number above 0: a centered window of that size keeps the height and width."""
    number = positive(name, value)
    if number % 2 == 0:
        raise UserError(f"{name} must be odd, got {value!r}")
    return number


def choice(name: str, value: Any, known: Collection[str]) -> str:
    """Check for one of the strings `known`."""
    if not isinstance(value, str) or value not in known:
        raise UserError(f"{name} must be {' or '.join(known)}, got {value!r}")
    return value


def some(name: str, values: Any, known: Collection[str]) -> tuple[str, ...]:
    """Check `values` for a list of at least one of the strings `known`, each at most once; returned as a tuple."""
    listed = tuple(values) if isinstance(values, tuple | list) else ()
    if not listed or not set(listed) <= set(known) or len(set(listed)) < len(listed):
        raise UserError(f"{name} must be a list of some of {', '.join(known)}, got {values!r}")
    return listed
