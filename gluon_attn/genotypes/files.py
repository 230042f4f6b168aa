"""Genotype files, and the published ones.

JSON: {"version": 1, "space": ..., "cells": {name: {"edges": [...], ...}}}. A search adds its seed and score, a
published genotype its origin. The cells of a network are "normal" and "reduce", the cell of an attention is
"attention".
"""

from collections.abc import Mapping, Sequence
from functools import cache
from numbers import Integral
from pathlib import Path
from typing import Any

from ..utils.errors import UserError
from ..utils.files import read_json

VERSION = 1
_PACKAGE = Path(__file__).resolve().parents[1]


def document(space: str, cells: Mapping[str, Any], **about: Any) -> dict[str, Any]:
    """The content of a genotype file, as plain data.

    Args:
        space: name of the search space.
        cells: name -> cell, as plain data.
        **about: seed, score, origin and the like.
    """
    return {"version": VERSION, "space": space, **about, "cells": cells}


def cells_of(data: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The cells in the content of a genotype file.

    Args:
        data: the content.
        names: names of the cells that it must have.

    Returns:
        Name -> cell, as plain data.

    Raises:
        UserError: another version, or other cells.
    """
    if data.get("version") != VERSION:
        raise UserError(f"a genotype of version {data.get('version')!r}, this program reads version {VERSION}")
    cells = data.get("cells")
    if not isinstance(cells, dict) or set(cells) != set(names):
        found = ", ".join(map(str, cells)) if isinstance(cells, dict) else repr(cells)
        raise UserError(f"a genotype of {' and '.join(names)} cells is needed, this one has {found or 'none'}")
    return cells


def folder() -> Path:
    """Folder of the published genotypes: in the package if it is installed, else next to it."""
    inside = _PACKAGE / "params" / "genotypes"
    return inside if inside.is_dir() else _PACKAGE.parent / "params" / "genotypes"


@cache
def published(cell: str) -> tuple[str, ...]:
    """Names of the published genotypes that have a cell of this name, sorted."""
    return tuple(path.stem for path in sorted(folder().glob("*.json")) if cell in read_json(path)["cells"])


def look_up(value: Any, cell: str, kind: str) -> tuple[dict[str, Any], str]:
    """Find the plain data of a genotype.

    Args:
        value: a published name, plain data, or a JSON file.
        cell: name of a cell that a published genotype must have.
        kind: what plain data must look like, for the message.

    Returns:
        The data, and "genotype FILE: " if they come from a file, else "".

    Raises:
        UserError: the value is none of these.
    """
    if isinstance(value, dict):
        return value, ""
    if isinstance(value, str) and value in published(cell):
        return read_json(folder() / f"{value}.json"), ""
    if isinstance(value, Path) or (isinstance(value, str) and value.endswith(".json")):
        data = read_json(Path(value))
        if not isinstance(data, dict):
            raise UserError(f"genotype {value}: the file must hold {kind}")
        return data, f"genotype {value}: "
    raise UserError(f"genotype must be {' or '.join(published(cell))}, {kind} or a JSON file, got {value!r}")


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number, and not true or false."""
    return isinstance(value, Integral) and not isinstance(value, bool)
