"""Checks of option values. Each returns the value, or raises a `UserError` of one line that names the option."""

import math
from numbers import Integral, Real

from .errors import UserError


def positive(name, value):
    """`value` if it is a whole number above 0, else a `UserError` that names the option."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise UserError(f"{name} must be a whole number above 0, got {value!r}")
    return int(value)


def positives(name, values, count):
    """`values` as a tuple if it lists `count` whole numbers above 0."""
    if not isinstance(values, list | tuple) or len(values) != count:
        raise UserError(f"{name} must list {count} whole numbers, one a stage, got {values!r}")
    return tuple(positive(name, value) for value in values)


def rate(name, value):
    """`value` if it is a number from 0 to below 1, as a dropout that leaves something."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value < 1:
        raise UserError(f"{name} must be from 0 to below 1, got {value!r}")
    return value


def above(name, value):
    """`value` if it is a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < value < math.inf:
        raise UserError(f"{name} must be a number above 0, got {value!r}")
    return value


def switch(name, value):
    """`value` if it is True or False; text such as "no" would count as true."""
    if not isinstance(value, bool):
        raise UserError(f"{name} must be true or false, got {value!r}")
    return value


def odd(name, value):
    """`value` if it is an odd whole number, so that a centred window keeps the map's size."""
    if positive(name, value) % 2 == 0:
        raise UserError(f"{name} must be odd, got {value!r}")
    return value


def choice(name, value, known):
    """`value` if it is one of the texts `known`."""
    if not isinstance(value, str) or value not in known:
        raise UserError(f"{name} must be {' or '.join(known)}, got {value!r}")
    return value


def some(name, values, known):
    """`values` as a tuple if it lists some of the texts `known`, each once."""
    listed = tuple(values) if isinstance(values, tuple | list) else ()
    if not listed or not set(listed) <= set(known) or len(set(listed)) < len(listed):
        raise UserError(f"{name} must be a list of some of {', '.join(known)}, got {values!r}")
    return listed
