"""Files that are written whole or not at all, and read back with their hashes."""

import contextlib
import errno
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from .atomic import atomic_path, atomic_paths, ensure_dir, scratch_folder
from .errors import UserError
from .leftovers import clear_leftovers
from .paths import expanded

__all__ = [
    "atomic_path", "atomic_paths", "checked_file", "clear_leftovers", "ensure_dir", "epochs", "read_hashed",
    "read_json", "scratch_folder", "sha256", "write_bytes", "write_json", "write_text",
]  # fmt: skip
Buffer: TypeAlias = bytes | memoryview
_CHUNK = 1 << 20
_EPOCH = re.compile(r"epoch-\d+")


def epochs(folder: Path | str) -> list[Path]:
    """Files and folders in `folder` with names such as epoch-0007, oldest first; none if there is no such folder."""
    folder = Path(folder)
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted((path for path in found if _EPOCH.fullmatch(path.name)), key=epoch_number)


def epoch_number(path: Path) -> int:
    """The number in the name of one of `epochs`."""
    return int(path.name.rpartition("-")[2])


@contextlib.contextmanager
def checked_file(path: Path) -> Iterator["CheckedFile"]:
    """Write a file through Python, which reports what a disk does not take; for use inside `atomic_path`.

    Yields:
        The file, opened for writing.

    Raises:
        OSError: it could not be written, or does not read back as it was written.
    """
    with open(path, "wb") as file:
        written = CheckedFile(file)
        yield written
    with open(path, "rb") as file:
        found = CheckedFile()
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            found.write(chunk)
    if (found.size, found.checksum) != (written.size, written.checksum):
        raise OSError(errno.EIO, f"it does not read back as it was written ({found.size} of {written.size} bytes)")


class CheckedFile:
    """Size and checksum of what is written.

    Args:
        file: where it goes to (default: nowhere).

    Attributes:
        size: number of bytes.
        checksum: their CRC-32.
    """

    def __init__(self, file: BinaryIO | None = None) -> None:
        self._file, self.size, self.checksum = file, 0, 0

    def write(self, data: Buffer) -> None:
        """Append bytes."""
        if self._file is not None:
            self._file.write(data)
        self.size += memoryview(data).nbytes
        self.checksum = zlib.crc32(data, self.checksum)


def write_bytes(target: Path | str, data: Buffer) -> None:
    """Write a file, whole or not at all."""
    with atomic_path(target) as staged, checked_file(staged) as file:
        file.write(data)


def write_text(target: Path | str, text: str) -> None:
    """Write a text file, whole or not at all."""
    write_bytes(target, text.encode())


def write_json(target: Path | str, value: Any) -> None:
    """Write a value as indented JSON, whole or not at all."""
    write_text(target, json.dumps(value, indent=2, sort_keys=False) + "\n")


def read_json(path: Path | str) -> Any:
    """The value in a JSON file.

    Raises:
        UserError: it is missing, or not valid JSON.
    """
    try:
        return json.loads(Path(expanded(path)).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid JSON ({error})") from None


def sha256(path: Path | str) -> str:
    """Hex SHA-256 of a file; `UserError` if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as handle:
            for chunk in iter(lambda: handle.read(_CHUNK), b""):
                digest.update(chunk)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    return digest.hexdigest()


def sealed(content: dict[str, Any]) -> dict[str, Any]:
    """JSON data with a hash of their own as "seal", which `read_hashed` checks."""
    return {**content, "seal": _seal(json.loads(json.dumps(content)))}


def _seal(content: dict[str, Any]) -> str:
    rest = {key: value for key, value in content.items() if key != "seal"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def read_hashed(path: Path, files: Iterable[str]) -> Any | None:
    """Read a JSON file that has the hashes of files next to it, and check them.

    Args:
        path: a mapping, whose "sha256" maps names of files to hashes; it may be `sealed`.
        files: names that it must have.

    Returns:
        The mapping; None if the JSON file is missing, not valid or not as it was sealed, or one of the files is missing
        or has another hash.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        whole = found.get("seal", "") in ("", _seal(found)) and all(
            sha256(path.parent / name) == found["sha256"][name] for name in {*files, *found["sha256"]}
        )
    except (OSError, UserError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return found if whole else None
