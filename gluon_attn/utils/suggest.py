"""Suggestions for mistyped names."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str], most: int = 2, cutoff: float = 0.5) -> str:
    """ "did you mean a or b?" for the nearest known names, or "" where none is near.

    Args:
        name: what was typed; upper and lower case count alike.
        known: the names that exist.
        most: how many to suggest at most.
        cutoff: smallest similarity of a suggestion, from 0 to 1, as in `difflib.get_close_matches`.
    """
    by_lower = {key.lower(): key for key in map(str, known)}
    longer = sorted(key for key in by_lower if key.startswith(f"{name.lower()}_"))  # resnet50: resnet50_v1b
    near = longer[:most] or difflib.get_close_matches(name.lower(), by_lower, n=most, cutoff=cutoff)
    return f"did you mean {' or '.join(by_lower[key] for key in near)}?" if near else ""
