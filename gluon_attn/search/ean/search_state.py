"""Saving and loading the state of a search: one folder of plain arrays and JSON, without pickle."""

import io
from pathlib import Path
from typing import Any

import numpy as np

from ...utils.errors import UserError
from ...utils.files import atomic_path, read_hashed, sealed, sha256, write_bytes, write_json
from .searcher import Searcher

FORMAT = 1
_ARRAYS, _PLAIN = "arrays.npz", "state.json"


def save_search(searcher: Searcher, folder: Path | str) -> None:
    """Writes the state of a search, replacing an earlier state as a whole.

    Args:
        searcher: the search.
        folder: is made, or replaced.
    """
    arrays, plain = searcher.state()
    with atomic_path(folder) as staged:
        staged.mkdir()
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        write_bytes(staged / _ARRAYS, buffer.getvalue())
        hashes = {_ARRAYS: sha256(staged / _ARRAYS)}
        write_json(staged / _PLAIN, sealed({"format": FORMAT, "sha256": hashes, "state": plain}))


def load_search(searcher: Searcher, folder: Path | str) -> None:
    """Restores the state of a search.

    Args:
        searcher: made with the same arguments as the saved one.
        folder: where `save_search` wrote.

    Raises:
        UserError: if the folder is missing or damaged, or holds another search or format.
    """
    try:
        searcher.set_state(*_read(Path(folder)))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UserError(
            f"{Path(folder, _PLAIN)} is damaged ({type(error).__name__}): start anew, or give another folder"
        ) from error


def saved_probabilities(folder: Path | str) -> np.ndarray:
    """Each block's probability to be connected after each step of EAN's search, (steps,blocks).

    Args:
        folder: where `save_search` wrote an `EanSearch`.

    Raises:
        UserError: as `load_search`.
    """
    arrays, _ = _read(Path(folder))
    if "course" not in arrays:
        raise UserError(f"{folder} holds another search: give that of EAN")
    return arrays["course"]


def _read(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """(arrays, plain data) of a saved search."""
    found = read_hashed(folder / _PLAIN, [_ARRAYS])
    if found is None:
        raise UserError(f"{folder} holds no whole saved search: start anew, or give another folder")
    if found.get("format") != FORMAT:
        raise UserError(f"{folder} has format {found.get('format')!r}; this release reads {FORMAT}")
    with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}, found["state"]
