"""The catalogue of published parameter files: index.json and the files that it names, in one folder.

    {"version": 1, "networks": {name: {"file": ..., "sha256": ..., "card": {...}, "score": {...}, "origin": ...,
                                       "command": ..., "seed": ..., "log": ...}}}

The project's own catalogue is in `params/`. GLUON_ATTN_HOME may name another one, a folder or the URL of one, whose
networks come first.
"""

import os
import shutil
from functools import cache
from pathlib import Path
from typing import Any

from ..config.card import Card
from ..utils.download import download, is_url
from ..utils.errors import UserError
from ..utils.files import atomic_paths, ensure_dir, read_json, sha256, write_json
from ..utils.log import get_logger
from .published import INDEX, Published, cache_folder, read_entry

__all__ = ["Published", "catalogue", "homes", "publish", "shipped"]

HOME = "GLUON_ATTN_HOME"
VERSION = 1
_PACKAGE = Path(__file__).resolve().parents[1]


def catalogue() -> dict[str, Published]:
    """Name -> entry, those of GLUON_ATTN_HOME first.

    Raises:
        UserError: a catalogue is missing or broken.
    """
    found: dict[str, Published] = {}
    for home in homes():
        for name, entry in _entries(home).items():
            found.setdefault(name, entry)
    return found


def homes() -> list[str]:
    """Folders and URLs of the catalogues, in the order of search."""
    own = os.environ.get(HOME, "").strip().rstrip("/")
    return [own, str(shipped())] if own else [str(shipped())]


def shipped() -> Path:
    """Folder of the project's own catalogue: in the package if it is installed, else next to it."""
    inside = _PACKAGE / "params"
    return inside if inside.is_dir() else _PACKAGE.parent / "params"


def publish(folder: Path | str, name: str, weights: Path | str, card: Card, **about: Any) -> Published:
    """Add a parameter file to a catalogue; an entry of that name is replaced.

    Args:
        folder: of the catalogue, which is made if it is missing.
        name: name of the entry.
        weights: the parameter file, which is copied.
        card: the network's `Card`.
        **about: `score`, `origin`, `command`, `seed` and `log`, see `Published`.

    Returns:
        The new entry.

    Raises:
        UserError: the name is not fit for a file, or a folder or file cannot be written.
    """
    home = ensure_dir(folder)
    file = f"{name}.params"
    empty: dict[str, Any] = {"version": VERSION, "networks": {}}
    index = read_json(home / INDEX) if (home / INDEX).exists() else empty
    with atomic_paths(home / file, home / INDEX) as (staged, new_index):
        shutil.copyfile(weights, staged)
        entry = {"file": file, "sha256": sha256(staged), "card": card.to_dict(), **about}
        made = read_entry(name, str(home), entry)
        index["networks"] = dict(sorted({**index["networks"], name: entry}.items()))
        write_json(new_index, index)
    return made


def _entries(home):
    path = _web_index(home) if is_url(home) else Path(home) / INDEX
    if not path.is_file():
        raise UserError(f"{home} has no {INDEX}: {HOME} must name a folder, or the URL of one, that has")
    data = read_json(path)
    if not isinstance(data, dict) or data.get("version") != VERSION or not isinstance(data.get("networks"), dict):
        raise UserError(f"{path} is no catalogue of version {VERSION}")
    return {name: read_entry(name, home, entry) for name, entry in data["networks"].items()}


@cache
def _web_index(home):
    """The index of a URL, downloaded once per process; the copy of an earlier process if that fails."""
    target = cache_folder(home) / INDEX
    try:
        return download(f"{home}/{INDEX}", target)
    except UserError as error:
        if not target.is_file():
            raise
        get_logger().warning("%s; the index of an earlier download is used", error)
        return target
