"""A folder for one process at a time, without a file in it that would stay."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from .errors import UserError
from .files import ensure_dir

try:
    import fcntl
except ImportError:  # Windows, which cannot lock folders
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def exclusive(folder: Path | str, busy: str) -> Iterator[None]:
    """A context in which no other process is in `exclusive` of the same folder.

    Args:
        folder: is made, and removed at the end if nothing is in it then.
        busy: the error where another process is.

    Raises:
        UserError: another process is, or the folder cannot be written to.
    """
    folder = Path(folder)
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    handle = os.open(ensure_dir(folder), os.O_RDONLY)
    try:
        _lock(handle, busy)
        yield
    finally:
        with contextlib.suppress(OSError):  # it is not empty
            for path in made:
                path.rmdir()
        os.close(handle)


def _lock(handle: int, busy: str) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:  # some network file systems have no locks of folders
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise UserError(busy) from None
