"""Files and folders that appear under their names whole or not at all.

What is written goes to a scratch folder beside its target, then to the disk, and only then gets its name. Whatever a
full disk, a quota or missing rights stop on the way is one line about the target, which stays as it was.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import WriteError
from .leftovers import clear_dead, hold
from .rename import install

_active: set[Path] = set()  # scratch folders of this process


def ensure_dir(path: Path | str) -> Path:
    """Make the folder `path` with its parents and return it; it may exist.

    Raises:
        WriteError: it cannot be made or written to.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if _in_scratch(path):
            raise
        raise WriteError(f"cannot write to {path}: {error.strerror}; choose another folder") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise WriteError(f"cannot write to {path}: permission denied; choose another folder")
    return path


@contextlib.contextmanager
def atomic_path(target: Path | str) -> Iterator[Path]:
    """Write a file or a folder whole or not at all.

    Args:
        target: what is written; an existing file is replaced by a file, an existing folder by a folder.

    Yields:
        A temporary path next to `target`, renamed to it after the `with` block, removed after an error. Inside the
        temporary path of another `atomic_path` it is `target` itself, which moves with the whole.

    Raises:
        WriteError: `target` cannot be written, and is as before.
    """
    with atomic_paths(target) as (staged,):
        yield staged


@contextlib.contextmanager
def atomic_paths(*targets: Path | str) -> Iterator[tuple[Path, ...]]:
    """Write files that belong together: all of them whole, or none.

    Args:
        targets: paths in one folder, as of `atomic_path`; messages name the first one.

    Yields:
        A temporary path for each.

    Raises:
        WriteError: one of them cannot be written; all are as before.
    """
    paths = [Path(target) for target in targets]
    if _in_scratch(paths[0]):
        ensure_dir(paths[0].parent)
        yield tuple(paths)
        return
    with scratch_folder(paths[0].parent, paths[0]) as scratch:
        staged = tuple(scratch / path.name for path in paths)
        yield staged
        install(staged, paths)


@contextlib.contextmanager
def scratch_folder(folder: Path | str, target: Path | str) -> Iterator[Path]:
    """A temporary folder, removed at the end, for what `install` is to move to its place.

    Args:
        folder: where it is made; `folder` itself is made, and removed again if nothing gets there.
        target: what messages name.

    Yields:
        The folder, as an absolute path.

    Raises:
        WriteError: something in it cannot be written.
    """
    folder, target = Path(folder), Path(target)
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    before, inside = _describe(target), _in_scratch(folder / target.name)
    scratch = lock = None
    prefix = f".{target.name[:60]}."
    try:
        clear_dead(ensure_dir(folder), prefix)
        scratch = Path(tempfile.mkdtemp(prefix=prefix, dir=folder)).absolute()
        _active.add(scratch)
        lock = hold(scratch)
        yield scratch
    except OSError as error:
        if inside:  # the outer one knows what to name
            raise
        raise WriteError(f"cannot write {target}: {_reason(error, scratch)}; {before}") from error
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
            _active.discard(scratch)
        if lock is not None:
            os.close(lock)
        for parent in missing:
            with contextlib.suppress(OSError):  # it is not empty: all went well
                parent.rmdir()


def _in_scratch(path: Path) -> bool:
    """Whether a path is part of something that this process moves as a whole."""
    return not _active.isdisjoint(path.absolute().parents)


def _describe(target: Path) -> str:
    """What a failure leaves at `target`."""
    if target.is_dir():
        return "the old folder is unchanged" if any(target.iterdir()) else "nothing was left there"
    return "the old file is unchanged" if os.path.lexists(target) else "nothing was left there"


def _reason(error: OSError, scratch: Path | None) -> str:
    """The error in words, with the file that could not be read where it is such an error."""
    reason = error.strerror or str(error)
    name = error.filename if isinstance(error.filename, str) and error.filename2 is None else ""
    ours = scratch is None or not name or Path(name).absolute().is_relative_to(scratch.parent)
    return reason if ours else f"{name}: {reason}"
