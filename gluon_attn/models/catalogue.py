"""The catalogue of published parameter files: index.json and, beside it, the files that it names.

    {"version": 1, "networks": {name: {"file": ..., "sha256": ..., "card": {...}, "score": {...}, "origin": ...,
                                       "command": ..., "seed": ..., "log": ...}}}

The project's own stands in `params/`. GLUON_ATTN_HOME may name another one, a folder or the address of one on the web,
whose networks come first.
"""

import dataclasses
import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

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

    home: the folder, or its address on the web. file: in it. card: the network's `Card`. score: plain data, such as
    {"dataset": "digits", "images": 359, "correct": 358, "accuracy": 0.9972}. command: what trained it. log: file in
    the home. The last four may be missing.
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

    def path(self):
        """Its parameter file on this machine, brought from the web if need be; its hash is checked each time."""
        if is_url(self.home):
            return download(f"{self.home}/{self.file}", _cache(self.home) / self.file, self.sha256)
        path = Path(self.home, self.file)
        if not path.is_file():
            raise UserError(f"parameter file {path} of {self.name} is missing; put it back beside its {INDEX}")
        if sha256(path) != self.sha256:
            raise UserError(
                f"parameter file {path} is not the one that was published: its SHA-256 differs from {INDEX}"
            )
        return path

    def purpose(self):
        """What it is for, in a few words."""
        card = self.card
        attentions = [entry["name"] for entry in (card.plan or {}).get("entries", ())]
        options = [f"{key}={value}" for key, value in card.options.items() if key != "input_size"]
        parts = [card.model, *attentions, *options, f"{card.classes} classes of {card.dataset or 'its own'}"]
        return ", ".join(parts)

    def score_text(self):
        """Its score in a few words, "" where none is stated."""
        return f"{self.score['accuracy']:.2%} of {self.score['images']:,}" if self.score else ""

    def to_dict(self):
        """Plain data, as in the index, with name and home."""
        return {**dataclasses.asdict(self), "card": self.card.to_dict()}


def catalogue():
    """Name -> `Published`, those of GLUON_ATTN_HOME first."""
    found = {}
    for home in homes():
        for name, entry in _entries(home).items():
            found.setdefault(name, entry)
    return found


def homes():
    """Folders and addresses that are looked through, in this order."""
    own = os.environ.get(HOME, "").strip().rstrip("/")
    return [own, str(shipped())] if own else [str(shipped())]


def shipped():
    """The project's own catalogue: in an installed package inside it, else beside it."""
    inside = _PACKAGE / "params"
    return inside if inside.is_dir() else _PACKAGE.parent / "params"


def publish(folder, name, weights, card, **about):
    """Add the parameter file `weights` to the catalogue in `folder`, or replace what has that name; its `Published`.

    card: the network's `Card`. about: score, origin, command, seed and log, see `Published`.
    """
    folder = ensure_dir(folder)
    file = f"{name}.params"
    with atomic_path(folder / file) as staged:
        shutil.copyfile(weights, staged)
    index = read_json(folder / INDEX) if (folder / INDEX).exists() else {"version": VERSION, "networks": {}}
    entry = {"file": file, "sha256": sha256(folder / file), "card": card.to_dict(), **about}
    made = _published(name, str(folder), entry)
    index["networks"] = dict(sorted({**index["networks"], name: entry}.items()))
    write_json(folder / INDEX, index)
    return made


def _entries(home):
    path = _web_index(home) if is_url(home) else Path(home) / INDEX
    if not path.is_file():
        raise UserError(f"{home} has no {INDEX}: {HOME} must name a folder, or the address of one, that has")
    data = read_json(path)
    if not isinstance(data, dict) or data.get("version") != VERSION or not isinstance(data.get("networks"), dict):
        raise UserError(f"{path} is no catalogue of version {VERSION}")
    return {name: _published(name, home, entry) for name, entry in data["networks"].items()}


def _published(name, home, entry):
    """The record of one entry, whose file must lie in the catalogue's own folder and have a hash."""
    where = f"{name} in the {INDEX} of {home}"
    try:
        made = Published(name=name, home=home, **{**entry, "card": Card.from_dict(entry["card"])})
    except (TypeError, KeyError) as error:
        raise UserError(f"{where} is broken: {error}") from None
    if not re.fullmatch(r"[\w.-]+", made.file) or made.file.startswith("."):
        raise UserError(f"{where} names the file {made.file!r}: it must lie beside the index")
    if not re.fullmatch(r"[0-9a-f]{64}", made.sha256):
        raise UserError(f"{where} needs the SHA-256 of its file")
    return made


@cache
def _web_index(home):
    """The index of an address, asked for once by a process; the last one that came where it cannot be had."""
    target = _cache(home) / INDEX
    try:
        return download(f"{home}/{INDEX}", target)
    except UserError as error:
        if not target.is_file():
            raise
        get_logger().warning("%s; the index that was brought before is used", error)
        return target


def _cache(home):
    """Where files of an address are kept: a folder of its own below ~/.cache."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "gluon_attn" / hashlib.sha256(home.encode()).hexdigest()[:16]
