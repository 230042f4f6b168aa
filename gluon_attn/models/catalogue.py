"""The catalogue of published parameter files: index.json and the files that it names, in one folder.

    {"version": 1, "networks": {name: {"file": ..., "sha256": ..., "card": {...}, "score": {...}, "origin": ...,
                                       "command": ..., "seed": ..., "log": ...}}}

The project's own catalogue is in `params/`. GLUON_ATTN_HOME may name another one, a folder or the URL of one, whose
networks come first.
"""

import dataclasses
import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..config.card import Card
from ..utils.download import download, is_url
from ..utils.errors import UserError
from ..utils.files import atomic_path, ensure_dir, read_json, sha256, write_json
from ..utils.log import get_logger

HOME = "GLUON_ATTN_HOME"
INDEX, VERSION = "index.json", 1
_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Published:
    """One network of a catalogue.

    Attributes:
        name: its name in the catalogue.
        home: folder or URL of the catalogue.
        file: name of the parameter file there.
        sha256: hash of that file.
        card: the network's `Card`.
        score: plain data, such as {"dataset": "digits", "images": 359, "correct": 358, "accuracy": 0.9972}, or None.
        origin: where the parameters come from.
        command: the command that trained it.
        seed: seed of that run.
        log: name of the log file in the catalogue.
    """

    name: str
    home: str
    file: str
    sha256: str
    card: Card
    score: dict | None = None
    origin: str = ""
    command: str = ""
    seed: int | None = None
    log: str | None = None

    def path(self) -> Path:
        """Path of the parameter file, downloaded if the catalogue is on the web. The hash is checked each time.

        Raises:
            UserError: the file is missing, has another hash, or cannot be downloaded.
        """
        if is_url(self.home):
            return download(f"{self.home}/{self.file}", _cache(self.home) / self.file, self.sha256)
        path = Path(self.home, self.file)
        if not path.is_file():
            raise UserError(
                f"parameter file {path} of {self.name} is missing; put it back into the folder of its {INDEX}"
            )
        if sha256(path) != self.sha256:
            raise UserError(
                f"parameter file {path} is not the one that was published: its SHA-256 differs from {INDEX}"
            )
        return path

    def purpose(self) -> str:
        """Model, attention, options and classes, in a few words."""
        card = self.card
        attentions = [entry["name"] for entry in (card.plan or {}).get("entries", ())]
        options = [f"{key}={value}" for key, value in card.options.items() if key != "input_size"]
        parts = [card.model, *attentions, *options, f"{card.classes} classes of {card.dataset or 'its own'}"]
        return ", ".join(parts)

    def score_text(self) -> str:
        """The score in a few words; "" if there is none."""
        return f"{self.score['accuracy']:.2%} of {self.score['images']:,}" if self.score else ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in the index, with name and home."""
        return {**dataclasses.asdict(self), "card": self.card.to_dict()}


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
    with atomic_path(home / file) as staged:
        shutil.copyfile(weights, staged)
    empty: dict[str, Any] = {"version": VERSION, "networks": {}}
    index = read_json(home / INDEX) if (home / INDEX).exists() else empty
    entry = {"file": file, "sha256": sha256(home / file), "card": card.to_dict(), **about}
    made = _published(name, str(home), entry)
    index["networks"] = dict(sorted({**index["networks"], name: entry}.items()))
    write_json(home / INDEX, index)
    return made


def _entries(home):
    path = _web_index(home) if is_url(home) else Path(home) / INDEX
    if not path.is_file():
        raise UserError(f"{home} has no {INDEX}: {HOME} must name a folder, or the URL of one, that has")
    data = read_json(path)
    if not isinstance(data, dict) or data.get("version") != VERSION or not isinstance(data.get("networks"), dict):
        raise UserError(f"{path} is no catalogue of version {VERSION}")
    return {name: _published(name, home, entry) for name, entry in data["networks"].items()}


def _published(name, home, entry):
    """The `Published` of one entry, whose file must be in the catalogue's folder and have a hash."""
    where = f"{name} in the {INDEX} of {home}"
    try:
        made = Published(name=name, home=home, **{**entry, "card": Card.from_dict(entry["card"])})
    except (TypeError, KeyError) as error:
        raise UserError(f"{where} is broken: {error}") from None
    if not re.fullmatch(r"[\w.-]+", made.file) or made.file.startswith("."):
        raise UserError(f"{where} names the file {made.file!r}: it must be in the folder of the index")
    if not re.fullmatch(r"[0-9a-f]{64}", made.sha256):
        raise UserError(f"{where} needs the SHA-256 of its file")
    return made


@cache
def _web_index(home):
    """The index of a URL, downloaded once per process; the copy of an earlier process if that fails."""
    target = _cache(home) / INDEX
    try:
        return download(f"{home}/{INDEX}", target)
    except UserError as error:
        if not target.is_file():
            raise
        get_logger().warning("%s; the index of an earlier download is used", error)
        return target


def _cache(home):
    """The folder for files of a URL, below ~/.cache."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "gluon_attn" / hashlib.sha256(home.encode()).hexdigest()[:16]
