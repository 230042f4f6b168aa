"""The state of a search in one folder: plain arrays, JSON, no pickle. It is there whole or not at all."""

from pathlib import Path

import numpy as np

from ...utils.errors import UserError
from ...utils.files import atomic_path, read_hashed, sha256, write_json

FORMAT = 1
_ARRAYS, _PLAIN = "arrays.npz", "state.json"


def save_search(searcher, folder):
    """Write what a `Searcher` goes on from to `folder`, in place of what was there."""
    arrays, plain = searcher.state()
    with atomic_path(folder) as staged:
        staged.mkdir()
        np.savez(staged / _ARRAYS, **arrays)
        write_json(staged / _PLAIN, {"format": FORMAT, "sha256": {_ARRAYS: sha256(staged / _ARRAYS)}, "state": plain})


def load_search(searcher, folder):
    """Let a `Searcher` that was made alike go on from `folder`; a missing or damaged one is a `UserError`."""
    folder = Path(folder)
    found = read_hashed(folder / _PLAIN, [_ARRAYS])
    if found is None:
        raise UserError(f"{folder} holds no whole saved search: begin anew, or give another folder")
    if found["format"] != FORMAT:
        raise UserError(f"{folder} has format {found['format']!r}; this release reads {FORMAT}")
    with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
        searcher.set_state({name: arrays[name] for name in arrays.files}, found["state"])
