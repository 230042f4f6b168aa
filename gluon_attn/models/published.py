"""One network of a catalogue of published parameter files."""

import dataclasses
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config.card import Card
from ..utils.checks import is_number
from ..utils.download import download, is_url
from ..utils.errors import UserError
from ..utils.files import sha256

#: name of a catalogue's file
INDEX = "index.json"


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
            return download(f"{self.home}/{self.file}", cache_folder(self.home) / self.file, self.sha256)
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


def read_entry(name: str, home: str, entry: Mapping[str, Any]) -> Published:
    """The `Published` of an entry of a catalogue.

    Args:
        name: of the entry.
        home: folder or URL of the catalogue.
        entry: the entry, as plain data.

    Raises:
        UserError: the entry is broken, has no hash, or names a file outside of the catalogue's folder.
    """
    where = f"{name} in the {INDEX} of {home}"
    try:
        made = Published(name=name, home=home, **{**entry, "card": Card.from_dict(entry["card"])})
    except (TypeError, KeyError) as error:
        raise UserError(f"{where} is broken: {error}") from None
    if made.score is not None and not _is_score(made.score):
        raise UserError(f"{where} is broken: its score needs images and accuracy")
    if not isinstance(made.file, str) or not isinstance(made.sha256, str):
        raise UserError(f"{where} is broken: file and sha256 must be text")
    if not re.fullmatch(r"[\w.-]+", made.file) or made.file.startswith("."):
        raise UserError(f"{where} names the file {made.file!r}: it must be in the folder of the index")
    if not re.fullmatch(r"[0-9a-f]{64}", made.sha256):
        raise UserError(f"{where} needs the SHA-256 of its file")
    return made


def _is_score(score: Any) -> bool:
    return isinstance(score, dict) and all(is_number(score.get(key)) for key in ("images", "accuracy"))


def cache_folder(home: str) -> Path:
    """The folder, below ~/.cache, for downloads from the catalogue at the URL `home`."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "gluon_attn" / hashlib.sha256(home.encode()).hexdigest()[:16]
