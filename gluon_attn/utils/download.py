"""Files from the web: whole or not at all, checked, gone on with after a break, brought once by many processes."""

import contextlib
import fcntl
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path

from .errors import UserError
from .files import ensure_dir, sha256

_TRIES = 3
_SECONDS = 30  # without a byte
_CHUNK = 1 << 20


def is_url(text):
    """Whether `text` is an address that `download` takes."""
    return str(text).startswith(("https://", "http://"))


def download(url, target, digest=None):
    """Bring `url` to the file `target` and return its path.

    digest: the SHA-256 that it must have. With it a file that is there already is checked and kept; without it the file
    is brought anew. What a break leaves is kept as `.NAME.part` and gone on with, by the next call too, if the server
    can. Processes that want the same file wait for the first. A failure is a `UserError`, and `target` is as it was.
    """
    target = Path(target)
    ensure_dir(target.parent)
    with _locked(target.with_name(f".{target.name}.lock")):
        if digest and target.is_file() and sha256(target) == digest:
            return target
        part = target.with_name(f".{target.name}.part")
        if not digest:  # nothing says whether what is left belongs to the file of today
            part.unlink(missing_ok=True)
        begun = part.exists()
        _bring(url, part)
        if digest and begun and sha256(part) != digest:  # what was left may be of another file
            part.unlink()
            _bring(url, part)
        if digest and sha256(part) != digest:
            part.unlink()
            raise UserError(f"{url} is not the file that was published: its SHA-256 differs; nothing was kept")
        os.replace(part, target)
    return target


def _bring(url, part):
    """Fetch the rest of `part`, in some tries."""
    for left in reversed(range(_TRIES)):
        try:
            _request(url, part)
            return
        except urllib.error.HTTPError as error:
            if error.code == 416:  # it was whole, or is longer than the file of today: the hash says
                return
            raise UserError(f"cannot download {url}: the server says {error.code} {error.reason}") from None
        except (OSError, http.client.HTTPException) as error:
            if not left:
                reason = getattr(error, "reason", None) or error
                raise UserError(f"cannot download {url}: {reason}; try again to go on with it") from None


def _request(url, part):
    size = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={size}-"} if size else {})
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
        goes_on = answer.status == 206
        missing = int(answer.headers.get("Content-Length") or -1)
        with open(part, "ab" if goes_on else "wb") as file:
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                missing -= len(chunk)
            file.flush()
            os.fsync(file.fileno())
    if missing > 0:  # http.client does not complain of it when chunks are read
        raise ConnectionError("the connection ended early")


@contextlib.contextmanager
def _locked(path):
    """Inside, this process alone holds the lock of that name; it ends with the process, whatever ends that."""
    with open(path, "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
