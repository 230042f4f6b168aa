"""Values that commands take on their command lines, for argparse's `type`; what does not fit is a one-line error."""

import argparse
import math
import re
from typing import Any

from ..config.files import from_yaml

_NUMBER = r"[+-]?[\d.]+(e[+-]?\d+)?"
_NUMBERS = re.compile(f"{_NUMBER}(,{_NUMBER})+")


def whole(text: str) -> int:
    """Convert text to an integer above 0."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, got {text!r}")
    return int(text)


def count(text: str) -> int:
    """Convert text to an integer, 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number, 0 or more, got {text!r}")
    return int(text)


def size(text: str) -> int:
    """Convert text to the height and width of images in pixels, 8 or more."""
    if whole(text) < 8:
        raise argparse.ArgumentTypeError(f"must be at least 8, got {text}")
    return int(text)


def share(text: str) -> float:
    """Convert text to a number from 0.1 to 1."""
    return _between(text, 0.1, 1)


def probability(text: str) -> float:
    """Convert text to a number from 0 to 1."""
    return _between(text, 0, 1)


def percent(text: str) -> float:
    """Convert text to a number from 0 to 100."""
    return _between(text, 0, 100)


def _between(text, low, high):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"must be a number from {low} to {high}, got {text!r}")
    return value


def png(text: str) -> str:
    """Check that text is the name of a PNG file."""
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"must end in .png, got {text!r}")
    return text


def pair(text: str) -> tuple[str, Any]:
    """Convert NAME=VALUE to (name, value); the value is read as YAML, numbers between commas also without brackets."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    try:
        return name, from_yaml(f"[{value}]" if _NUMBERS.fullmatch(value) else value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"the value of {name} is no valid YAML: {value!r}") from None
