"""Paths that users give: the home folder in them, and whether something can be written there, before the work."""

import os
from pathlib import Path
from typing import TypeVar

from .errors import UserError

P = TypeVar("P", str, Path, str | Path, None, str | None, str | Path | None)


def expanded(path: P) -> P:
    """The path with a leading ~ or ~user replaced by that home folder, of the type that it had; None stays None."""
    if path is None or not str(path).startswith("~"):
        return path
    return type(path)(os.path.expanduser(path))


def check_output_file(path: Path | str | None, what: str) -> None:
    """Check that a file can be written, or appended to; nothing is made.

    Args:
        path: the file; its folder must be there. None is not checked.
        what: what the error calls it, such as "option logging_file".

    Raises:
        UserError: it is a folder, its folder is missing, or the permission is.
    """
    if path is None:
        return
    path = Path(path)
    _check_no_folder(path, what)
    if not path.parent.exists():
        raise UserError(f"{what} {path}: there is no folder {path.parent}; make it, or name another file")
    _check_parent(path, what)


def check_new_file(path: Path | str | None, what: str) -> None:
    """As `check_output_file`, of a file whose folders are made where they are missing."""
    if path is None:
        return
    path = Path(path)
    _check_no_folder(path, what)
    _check_parent(path, what)


def check_output_folder(path: Path | str | None, what: str) -> None:
    """Check that a folder can be made, or written to where it is there; nothing is made.

    Args:
        path: the folder. None is not checked.
        what: what the error calls it.

    Raises:
        UserError: it is a file, or below one, or the permission is missing.
    """
    if path is None:
        return
    path = Path(path)
    if path.is_dir():
        _check_permission(path, path, what)
    elif _there(path):
        raise UserError(f"{what} {path} is a file; name a folder")
    else:
        _check_parent(path, what)


def _check_no_folder(path, what):
    if not path.name or path.is_dir():
        raise UserError(f"{what} {path} is a folder; name a file")
    if _there(path) and not os.access(path, os.W_OK):
        raise UserError(f"{what} {path} cannot be written: permission denied; name another file")


def _check_parent(path, what):
    """Check that the nearest folder above `path` that exists can be written to."""
    above = next((parent for parent in path.parents if _there(parent)), Path())
    if not above.is_dir():
        raise UserError(f"{what} {path}: {above} is no folder; choose another path")
    _check_permission(above, path, what)


def _check_permission(folder, path, what):
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"{what} {path} cannot be written: no permission in {folder}; choose another path")


def _there(path):
    """Whether something has this name; a name that the system cannot take is an error."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(f"cannot write {str(path)[:80]}: {reason}; choose another path") from None
    return True
