"""Files that are written whole or not at all."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from pathlib import Path

from .errors import UserError

_MARK = ".gluon_attn-scratch"
_EPOCH = re.compile(r"epoch-\d+")


def ensure_dir(path):
    """Make folder `path` with its parents and return it; `UserError` when that is impossible."""
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to {path}: {error.strerror}; choose another folder") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise UserError(f"cannot write to {path}: permission denied; choose another folder")
    return path


def epochs(folder):
    """What `folder` holds under names such as epoch-0007, oldest first; nothing where there is no such folder."""
    folder = Path(folder)
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted((path for path in found if _EPOCH.fullmatch(path.name)), key=lambda path: int(path.name[6:]))


@contextlib.contextmanager
def atomic_path(target):
    """Yield a temporary path beside `target`; on success it takes `target`'s place, on failure it is removed.

    Works for a file and for a folder. A folder that is already there is replaced.
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


def clear_leftovers(folder):
    """Remove what writers that were killed left in `folder` and below it; no writer may be at work there."""
    for scratch in Path(folder).rglob(".*.*"):
        if scratch.is_dir() and (scratch / _MARK).exists():
            shutil.rmtree(scratch, ignore_errors=True)


def _replace(staged, target, aside):
    """Rename `staged` to `target`; a folder in the way moves `aside`, and comes back if that fails."""
    if not target.is_dir():
        os.replace(staged, target)
        return
    os.rename(target, aside)
    try:
        os.rename(staged, target)
    except OSError:
        os.rename(aside, target)
        raise


def _sync(path):
    """Flush a file, or a folder and what it holds, to the disk, so that a rename never precedes its data."""
    for item in [*path.iterdir(), path] if path.is_dir() else [path]:
        handle = os.open(item, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_text(target, text):
    """Write `text` to `target`, whole or not at all."""
    with atomic_path(target) as staged:
        staged.write_text(text, encoding="utf-8")


def write_json(target, value):
    """Write `value` to `target` as indented JSON, whole or not at all."""
    write_text(target, json.dumps(value, indent=2, sort_keys=False) + "\n")


def read_json(path):
    """The JSON value in file `path`; `UserError` when it is missing or broken."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise UserError(f"{path} is not valid JSON ({error})") from None


def sha256(path):
    """Hex SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        for chunk in iter(lambda: handle.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def read_hashed(path, files):
    """The mapping in a JSON file, whose "sha256" has the hashes of files beside it: `files` and all that it names.

    None where one of them is missing or not what the hash says.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        whole = all(sha256(path.parent / name) == found["sha256"][name] for name in {*files, *found["sha256"]})
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if whole else None
