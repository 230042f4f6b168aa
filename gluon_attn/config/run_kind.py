"""Which kind of run a run folder holds, as its config.yaml says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..utils.errors import UserError
from .files import read_yaml

CONFIG_FILE = "config.yaml"
#: kind of run -> what messages call it
TITLES = {
    "train": "a training run",
    "detect": "the training of a detector",
    "ean-supernet": "the training of a supernet (search.py ean-supernet)",
    "att-darts": "a search (search.py att-darts)",
    "anas": "a search (search.py anas)",
    "ean": "a search (search.py ean)",
}
_HEADER = "# options of "


def header(kind: str) -> str:
    """First line of the config.yaml of a run of this kind; the groups of two kinds are the same."""
    return f"{_HEADER}{kind}"


def held_kind(folder: Path | str) -> str | None:
    """The kind of run that a folder holds, a key of `TITLES`; None where there is none, or nobody can tell."""
    path = Path(folder, CONFIG_FILE)
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            first = file.readline().strip()
        found = first.removeprefix(_HEADER) if first.startswith(_HEADER) else _by_groups(read_yaml(path))
    except (OSError, UserError):
        return None
    return found if found in TITLES else None


def _by_groups(groups: Mapping[str, Any]) -> str | None:
    """The kind of a config without the first line, as earlier versions wrote them."""
    if "ean" in groups:
        return "ean"
    if isinstance(groups.get("space"), Mapping):
        return "att-darts" if "location" in groups["space"] else "anas"
    return "train" if "model" in groups else None


def check_kind(folder: Path | str, *wanted: str) -> None:
    """Check that a folder holds a run of one of the kinds `wanted`, if it holds a run at all.

    A supernet's training without that first line counts as a training run.

    Args:
        folder: the folder.
        wanted: keys of `TITLES`, the first of them for the message.

    Raises:
        UserError: it holds another kind of run.
    """
    found = held_kind(folder)
    if found is None or found in wanted:
        return
    if found == "train" and "ean-supernet" in wanted and not _has_header(folder):
        return
    raise UserError(f"{folder} holds {TITLES[found]}, not {TITLES[wanted[0]]}")


def _has_header(folder):
    with open(Path(folder, CONFIG_FILE), encoding="utf-8", errors="replace") as file:
        return file.readline().startswith(_HEADER)
