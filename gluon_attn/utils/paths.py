"""Paths that users give: the home folder in them, and whether something can be written there, before the work."""

import os
from pathlib import Path
from typing import TypeVar

from .errors import UserError
from .printable import is_utf8, printable

_NAME_BYTES = 255  # of a file, without its folder, on the usual file systems
P = TypeVar("P", str, Path, str | Path, None, str | None, str | Path | None)


def expanded(path: P) -> P:
    """A path that a user gave, of the type that it has, with a leading ~ or ~user replaced by that home folder.

    Raises:
        UserError: the system can have no file of that name, since it is too long or has a null byte.
    """
    if path is None:
        return path
    text = str(path)
    if max(len(os.fsencode(part)) for part in text.split(os.sep)) > _NAME_BYTES or "\0" in text:
        raise UserError(f"{text[:40]!r}... cannot be the name of a file: it is too long, or has a null byte")
    return type(path)(os.path.expanduser(path)) if text.startswith("~") else path


def check_utf8(path: Path | str, library: str) -> None:
    """Raise a `UserError` where a path has bytes that are not UTF-8, and a library cannot open it."""
    if not is_utf8(path):
        shown = printable(str(path))
        raise UserError(f"{library} cannot open {shown}, whose name is not UTF-8: choose or give it another")


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
    found = _named(path, what)
    _check_no_folder(found, what)
    if not found.parent.exists():
        raise UserError(
            f"cannot write to {found} ({what}): there is no folder {found.parent}; make it, or name another file"
        )
    _check_parent(found, what)


def check_new_file(path: Path | str | None, what: str) -> None:
    """As `check_output_file`, of a file whose folders are made where they are missing."""
    if path is None:
        return
    found = _named(path, what)
    _check_no_folder(found, what)
    if found.exists() and not found.is_file():  # a device would be replaced by the file
        raise UserError(f"cannot write to {found} ({what}): it is no regular file; name another one")
    _check_parent(found, what)


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
    found = _named(path, what)
    if found.is_dir():
        _check_permission(found, found, what)
    elif _there(found):
        raise UserError(f"cannot write to {found} ({what}): it is a file; name a folder")
    else:
        _check_parent(found, what)


def _named(path: Path | str, what: str) -> Path:
    """The path, if MXNet and the texts that name it can have its name."""
    if not is_utf8(path):
        shown = printable(str(path))
        raise UserError(f"cannot write to {shown} ({what}): its name is not UTF-8; choose another path")
    return Path(path)


def _check_no_folder(path: Path, what: str) -> None:
    if not path.name or path.is_dir():
        raise UserError(f"cannot write to {path} ({what}): it is a folder; name a file")
    if _there(path) and not os.access(path, os.W_OK):
        raise UserError(f"cannot write to {path} ({what}): permission denied; name another file")


def _check_parent(path, what):
    """Check that the nearest folder above `path` that exists can be written to."""
    above = next((parent for parent in path.parents if _there(parent)), Path())
    if not above.is_dir():
        raise UserError(f"cannot write to {path} ({what}): {above} is no folder; choose another path")
    _check_permission(above, path, what)


def _check_permission(folder, path, what):
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"cannot write to {path} ({what}): permission denied in {folder}; choose another path")


def _there(path):
    """Whether something has this name, a link to nothing included."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:  # a circle of links
        raise UserError(f"cannot write to {path}: {error.strerror}; choose another path") from None
    return True
