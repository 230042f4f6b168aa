"""Renaming finished files and folders to their names, so that a crash or an error finds the old or the new ones."""

import contextlib
import ctypes
import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

#: end of the name under which a replaced file or folder is kept for a moment, where two cannot be swapped
OLD = ".replaced"
_CURRENT_FOLDER, _SWAP = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux's renameat2
_CANNOT = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)  # what a file system says that lacks a feature


def install(staged: Sequence[Path], targets: Sequence[Path]) -> None:
    """Give what was written in `atomic.scratch_folder` its names, once it is on the disk: all of it, or nothing.

    Args:
        staged: files and folders in the scratch folder.
        targets: their names, in the same order.

    Raises:
        OSError: that failed; all targets are as before.
    """
    pairs = list(zip(staged, targets, strict=True))
    for source, target in pairs:
        _sync(source)
        if target.is_dir() and (target.is_symlink() or not source.is_dir()):
            raise OSError(errno.EISDIR, f"it is a {'link to a ' * target.is_symlink()}folder; choose another name")
        if source.is_dir() and target.exists() and not target.is_dir():
            raise OSError(errno.ENOTDIR, "it is a file; choose another name")
    undo: list[Callable[[], object]] = []
    try:
        for source, target in pairs:
            undo.append(_move(source, target))
        _sync_entries(targets[0].parent)
    except OSError:
        for take_back in reversed(undo):
            take_back()
        raise


def _move(staged: Path, target: Path) -> Callable[[], object]:
    """Rename `staged` to `target`; returns what takes that back."""
    if not os.path.lexists(target):
        os.rename(staged, target)
        return lambda: os.rename(target, staged)
    if _exchange(staged, target):
        return lambda: _exchange(staged, target)
    old = staged.with_name(f"{target.name}{OLD}")
    if not target.is_dir():
        with contextlib.suppress(OSError):  # not every file system has hard links; then there is no way back
            os.link(target, old)
        os.replace(staged, target)
        return lambda: os.replace(old, target) if old.exists() else None
    os.rename(target, old)
    try:
        os.rename(staged, target)
    except OSError:
        os.rename(old, target)
        raise

    def put_back() -> None:
        os.rename(target, staged)
        os.rename(old, target)

    return put_back


def _exchange(first: Path, second: Path) -> bool:
    """Swap two paths in one step, which not every system and file system can; True if done."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    if not rename(_CURRENT_FOLDER, os.fsencode(first), _CURRENT_FOLDER, os.fsencode(second), _SWAP):
        return True
    code = ctypes.get_errno()
    if code in _CANNOT:
        return False
    raise OSError(code, os.strerror(code))


def _sync(path: Path) -> None:
    """Flush a file, or a folder with its contents, to the disk, so that a rename never precedes its data."""
    for item in [*path.rglob("*"), path] if path.is_dir() else [path]:
        if item.is_dir():
            _sync_entries(item)
            continue
        handle = os.open(item, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _sync_entries(folder: Path) -> None:
    """Flush the names in a folder, where the file system can."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    finally:
        os.close(handle)
