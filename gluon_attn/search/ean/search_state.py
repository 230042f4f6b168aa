"""Saving and loading the state of a search: one folder of plain arrays and JSON, without pickle."""

import io
from pathlib import Path

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
        write_bytes(staged / _ARRAYS, buffer.getbuffer())
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
    folder = Path(folder)
    found = read_hashed(folder / _PLAIN, [_ARRAYS])
    if found is None:
        raise UserError(f"{folder} holds no whole saved search: start anew, or give another folder")
    if found.get("format") != FORMAT:
        raise UserError(f"{folder} has format {found.get('format')!r}; this release reads {FORMAT}")
    try:
        with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
            searcher.set_state({name: arrays[name] for name in arrays.files}, found["state"])
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UserError(
            f"{folder / _PLAIN} is damaged ({type(error).__name__}): start anew, or give another folder"
        ) from error
