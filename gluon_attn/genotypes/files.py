"""Genotypes as files: JSON that names its version and its space, and the published ones among them.

{"version": 1, "space": ..., "cells": {name: {"edges": [...], ...}}}; a search adds its seed and score, a published one
its origin. A cell of a network has the cells "normal" and "reduce", an attention the cell "attention".
"""

from functools import cache
from pathlib import Path

from ..utils.errors import UserError
from ..utils.files import read_json

VERSION = 1
_PACKAGE = Path(__file__).resolve().parents[1]


def document(space, cells, **about):
    """Plain data of a genotype file. space: what was searched. cells: name -> cell. about: seed, score and the like."""
    return {"version": VERSION, "space": space, **about, "cells": cells}


def cells_of(data, names):
    """Cell name -> plain data, of a document that has the cells `names` and no others."""
    if data.get("version") != VERSION:
        raise UserError(f"a genotype of version {data.get('version')!r}, this program reads version {VERSION}")
    cells = data.get("cells")
    if not isinstance(cells, dict) or set(cells) != set(names):
        found = ", ".join(map(str, cells)) if isinstance(cells, dict) else repr(cells)
        raise UserError(f"a genotype of {' and '.join(names)} cells is needed, this one has {found or 'none'}")
    return cells


def folder():
    """Where the published genotypes lie: in an installed package inside it, else beside it."""
    inside = _PACKAGE / "params" / "genotypes"
    return inside if inside.is_dir() else _PACKAGE.parent / "params" / "genotypes"


@cache
def published(cell):
    """Names of the published genotypes that have the cell `cell`, sorted."""
    return tuple(path.stem for path in sorted(folder().glob("*.json")) if cell in read_json(path)["cells"])


def look_up(value, cell, kind):
    """Plain data of what a published name, plain data or a JSON file means, and "genotype FILE: " of a file.

    cell: a cell that the genotype must have. kind: what a mapping must look like, for the error.
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
