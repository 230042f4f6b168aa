"""Files from the web: whole or not at all, checked, resumed after a break, fetched once by many processes."""

import contextlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from .errors import FULL_DISK, UserError, WriteError
from .files import ensure_dir, sha256
from .progress import Progress

_TRIES = 3
_SECONDS = 30  # without a byte
_CHUNK = 1 << 20


def is_url(text: Path | str) -> bool:
    """Whether `text` is an address that `download` takes."""
    return str(text).startswith(("https://", "http://"))


def download(url: str, target: Path | str, digest: str | None = None) -> Path:
    """Fetch a file from the web.

    After a break the bytes so far are kept as `.NAME.part`, and the download resumes from them, also in the next call,
    if the server can. Processes that want the same file wait for the first one.

    Args:
        url: its address.
        target: where the file is put.
        digest: the SHA-256 that it must have. With it, a target with that hash is kept; without it, the file is always
            fetched again.

    Returns:
        `target`.

    Raises:
        UserError: the download failed, the hash differs or the disk is full; `target` is unchanged.
    """
    target = Path(target)
    ensure_dir(target.parent)
    with _locked(target):
        if digest and target.is_file() and sha256(target) == digest:
            return target
        part = target.with_name(f".{target.name}.part")
        if not digest:  # without a hash the earlier bytes may belong to an older file
            part.unlink(missing_ok=True)
        resumed = part.exists()
        _fetch(url, part)
        if digest and resumed and sha256(part) != digest:  # the bytes so far may belong to another file
            part.unlink()
            _fetch(url, part)
        if digest and sha256(part) != digest:
            part.unlink()
            raise UserError(f"{url} is not the file that was published: its SHA-256 differs; nothing was kept")
        os.replace(part, target)
    return target


@contextlib.contextmanager
def _locked(target: Path) -> Iterator[None]:
    """A context in which no other process fetches `target`; what the disk does not take is one line about it."""
    try:
        with FileLock(target.with_name(f".{target.name}.lock")):
            yield
    except OSError as error:
        raise WriteError(f"cannot write {target}: {error.strerror or error}; make room and try again") from error


def _fetch(url: str, part: Path) -> None:
    """Fetch the rest of `part`, with some tries."""
    for left in reversed(range(_TRIES)):
        try:
            _request(url, part)
            return
        except urllib.error.HTTPError as error:
            if error.code == 416:  # `part` is complete, or longer than the file: the hash decides
                return
            raise UserError(f"cannot download {url}: the server says {error.code} {error.reason}") from None
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno in FULL_DISK:
                raise
            if not left:
                reason = getattr(error, "reason", None) or error
                raise UserError(f"cannot download {url}: {reason}; try again to resume") from None


def _request(url: str, part: Path) -> None:
    size = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={size}-"} if size else {})
    with urllib.request.urlopen(request, timeout=_SECONDS) as response:
        resumes = response.status == 206
        missing = int(response.headers.get("Content-Length") or -1)
        name, whole = url.rpartition("/")[2], missing
        with open(part, "ab" if resumes else "wb") as file, Progress(f"downloading {name}") as progress:
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                missing -= len(chunk)
                known = f"{(whole - missing) / 1e6:.0f} of {whole / 1e6:.0f} MB" if whole > 0 else ""
                progress.update(len(chunk), known)
            file.flush()
            os.fsync(file.fileno())
    if missing > 0:  # http.client does not report it when the body is read in chunks
        raise ConnectionError("the connection ended early")
