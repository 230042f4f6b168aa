"""The rows in which `gluon-attn models` lists networks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..utils.table import render, without_empty

_NUMBER = re.compile(r"\d+")
_HEADER = ("  name", "attention", "N", "weights of", "files")


@dataclass(frozen=True)
class Listed:
    """What the list says of a network.

    Attributes:
        name: of the model.
        attentions: those in its name.
        sources: whose weight files it takes.
        files: how many published parameter files there are.
    """

    name: str
    attentions: tuple[str, ...]
    sources: tuple[str, ...]
    files: int


def listed(models: Sequence[Listed], fold: bool) -> str:
    """A table of networks, by their depth.

    Args:
        models: the networks.
        fold: whether those that differ in the first number in their name alone share a row, as resnetN_v1b.
    """
    groups: dict[object, list[Listed]] = {}
    for model in models:
        family = _NUMBER.sub("N", model.name, count=1)
        groups.setdefault((family, model.attentions, model.sources) if fold else model.name, []).append(model)
    rows = [_row(members) for members in (groups.values() if fold else sorted(groups.values(), key=_by_depth))]
    return render(*without_empty(_HEADER, rows))


def _row(members):
    first, depths = members[0], ""
    name = first.name
    if len(members) > 1:
        depths = ", ".join(map(str, sorted(int(_NUMBER.findall(model.name)[0]) for model in members)))
        name = _NUMBER.sub("N", name, count=1)
    files = sum(model.files for model in members) or None
    return f"  {name}", ", ".join(first.attentions), depths, ", ".join(first.sources), files


def _by_depth(members):
    """Names in the order of their numbers: resnet18 before resnet101."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", members[0].name)]
