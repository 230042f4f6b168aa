"""Files that are written whole or not at all."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .errors import UserError

_MARK = ".gluon_attn-scratch"
_EPOCH = re.compile(r"epoch-\d+")


def ensure_dir(path: Path | str) -> Path:
    """Make the folder `path` with its parents and return it; it may exist.

    Raises:
        UserError: it cannot be made or written to.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to {path}: {error.strerror}; choose another folder") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise UserError(f"cannot write to {path}: permission denied; choose another folder")
    return path


def epochs(folder: Path | str) -> list[Path]:
    """Files and folders in `folder` with names such as epoch-0007, oldest first; none if there is no such folder."""
    folder = Path(folder)
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted((path for path in found if _EPOCH.fullmatch(path.name)), key=lambda path: int(path.name[6:]))


@contextlib.contextmanager
def atomic_path(target: Path | str) -> Iterator[Path]:
    """Write a file or a folder whole or not at all.

    Args:
        target: what is written; an existing file or folder is replaced.

    Yields:
        A temporary path next to `target`, renamed to it after the `with` block, removed after an error.

    Raises:
        UserError: `target` cannot be written.
    """
    target = Path(target)
    ensure_dir(target.parent)
    if target.is_dir() and target.is_symlink():
        raise UserError(f"{target} is a link to a folder; choose another target")
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    staged = scratch / target.name
    (scratch / _MARK).touch()
    try:
        yield staged
        _sync(staged)
        _replace(staged, target, aside=scratch / "replaced")
        _sync(target.parent)
    except OSError as error:
        raise UserError(f"cannot write {target}: {error.strerror or error}; nothing was left there") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def clear_leftovers(folder: Path | str) -> None:
    """Remove temporary files of killed writers in `folder` and below; no writer may be running there."""
    for scratch in Path(folder).rglob(".*.*"):
        if scratch.is_dir() and (scratch / _MARK).exists():
            shutil.rmtree(scratch, ignore_errors=True)


def _replace(staged: Path, target: Path, aside: Path) -> None:
    """Rename `staged` to `target`; an existing folder is renamed to `aside`, and back if that fails."""
    if not target.is_dir():
        os.replace(staged, target)
        return
    os.rename(target, aside)
    try:
        os.rename(staged, target)
    except OSError:
        os.rename(aside, target)
        raise


def _sync(path: Path) -> None:
    """Flush a file, or a folder with its contents, to the disk, so that a rename never precedes its data."""
    for item in [*path.iterdir(), path] if path.is_dir() else [path]:
        handle = os.open(item, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_text(target: Path | str, text: str) -> None:
    """Write a text file, whole or not at all."""
    with atomic_path(target) as staged:
        staged.write_text(text, encoding="utf-8")


def write_json(target: Path | str, value: Any) -> None:
    """Write a value as indented JSON, whole or not at all."""
    write_text(target, json.dumps(value, indent=2, sort_keys=False) + "\n")


def read_json(path: Path | str) -> Any:
    """The value in a JSON file.

    Raises:
        UserError: it is missing, or not valid JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid JSON ({error})") from None


def sha256(path: Path | str) -> str:
    """Hex SHA-256 of a file; `UserError` if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as handle:
            for chunk in iter(lambda: handle.read(1 << 20), b""):
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
