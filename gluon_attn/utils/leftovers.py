"""Temporary folders of writers that were killed: the next writer of the same target removes them.

A writer holds a lock on a file in its folder for as long as it lives: a folder whose lock is free has no writer.
"""

import contextlib
import fcntl
import os
import shutil
from pathlib import Path

from .rename import OLD

MARK = ".gluon_attn-scratch"


def hold(scratch: Path) -> int:
    """Mark a temporary folder as in use, until the descriptor that is returned is closed or the process has ended."""
    new = scratch / f"{MARK}-new"
    handle = os.open(new, os.O_RDWR | os.O_CREAT, 0o644)
    _lock(handle)
    os.rename(new, scratch / MARK)  # a mark is never seen without its lock
    return handle


def clear_dead(folder: Path, prefix: str) -> None:
    """Remove the temporary folders in `folder` whose names start with `prefix` and whose writers have ended."""
    with contextlib.suppress(OSError):  # such as a folder that may be written but not read
        for scratch in folder.iterdir():
            if scratch.name.startswith(prefix) and (scratch / MARK).is_file() and _ended(scratch / MARK):
                _remove(scratch)


def clear_leftovers(folder: Path | str) -> None:
    """Remove temporary folders of killed writers in `folder` and below; no writer may be running there."""
    for scratch in Path(folder).rglob(".*.*"):
        if scratch.is_dir() and (scratch / MARK).exists():
            _remove(scratch)


def _remove(scratch: Path) -> None:
    """Remove a temporary folder; what its writer had taken away and not yet replaced is put back."""
    for old in scratch.glob(f"*{OLD}"):
        target = scratch.with_name(old.name.removesuffix(OLD))
        if not target.exists():
            os.rename(old, target)
    shutil.rmtree(scratch, ignore_errors=True)


def _ended(mark):
    try:
        handle = os.open(mark, os.O_RDWR)
    except OSError:
        return False
    try:
        return _lock(handle)
    finally:
        os.close(handle)


def _lock(handle):
    """Whether the lock was free and is ours now; a file system without locks never says so."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
