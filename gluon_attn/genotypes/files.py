"""Genotype files, and the published ones.

JSON: {"version": 1, "space": ..., "cells": {name: {"edges": [...], ...}}}. A search adds its seed and score, a
published genotype its origin. The cells of a network are "normal" and "reduce", the cell of an attention is
"attention". Files of other programs are read too: JSON of other forms, and texts and logs, see `text`.
"""

import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ..utils.errors import UserError
from ..utils.files import read_json
from ..utils.log import get_logger
from .text import is_call, last_in, parse

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
    return tuple(path.stem for path in sorted(folder().glob("*.json")) if cell in _cells(path))


def _cells(path: Path) -> dict[str, Any]:
    data = read_json(path)
    if not isinstance(data, dict) or not isinstance(data.get("cells"), dict):
        raise UserError(f"{path}, a published genotype, is damaged: install the package again")
    return data["cells"]


def look_up(value: Any, cell: str, kind: str) -> tuple[dict[str, Any], str]:
    """Find the plain data of a genotype.

    Args:
        value: a published name, plain data, `Genotype(...)` as text, or a file.
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
    data = read_genotype(value) if isinstance(value, str | Path) else None
    where = "" if isinstance(value, str) and not is_file_name(value) else f"genotype {value}: "
    if data is None:
        names = " or ".join(published(cell))
        raise UserError(f"genotype must be {names}, {kind}, Genotype(...) as text, or a file with one, got {value!r}")
    if not isinstance(data, dict):
        raise UserError(f"{where}the file must hold {kind}")
    return data, where


def read_genotype(value: Path | str) -> Any:
    """The plain data in a file or a text.

    Args:
        value: `Genotype(...)` as text, or a file: JSON, or a text in which the last `Genotype(...)` counts.

    Returns:
        None if it is neither.

    Raises:
        UserError: it cannot be read.
    """
    if is_file_name(value):
        return _in_file(Path(value))
    return parse(str(value)) if is_call(str(value)) else None


def is_file_name(value: Path | str) -> bool:
    """Whether a value is meant as a file: one that exists, or a name with a folder or an ending."""
    if isinstance(value, Path) or os.path.isfile(value):
        return True
    return not is_call(value) and ("/" in value or bool(Path(value).suffix))


def _in_file(path: Path) -> Any:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        reason = str(error)
    try:
        found = last_in(content.decode("utf-8", "replace"))
    except UserError as error:
        raise UserError(f"genotype {path}: {error}") from None
    if found is None:
        raise UserError(f"genotype {path}: it is not valid JSON ({reason}) and has no Genotype(...)")
    if found.number > 1:
        _say(f"genotype {path}: took the last of {found.number}, which begins in line {found.line}")
    return found.data


@cache
def _say(message: str) -> None:
    """Log a message once: a command may read a genotype several times."""
    get_logger().warning("%s", message)
