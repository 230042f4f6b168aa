"""CIFAR's binary files: found or downloaded, checked, read.

Gluon's readers know the files, their hashes, the records and the download. But their constructor answers any
file that is not the official one with a download over it. So only Gluon's own folder is handed to it; the
user's folder is read by the same readers with that step left out, after the checks below.
"""

import contextlib
import fcntl
import sys
from dataclasses import dataclass, field
from pathlib import Path

import mxnet as mx
import numpy as np
from mxnet.gluon.data.vision import CIFAR10, CIFAR100
from mxnet.gluon.utils import _get_repo_file_url, check_sha1

from ..utils.errors import UserError
from ..utils.files import ensure_dir
from ..utils.log import get_logger

_PAGE = "https://www.cs.toronto.edu/~kriz/cifar.html"
_PROBE_SECONDS = 10


class _Reader10(CIFAR10):
    def _get_data(self):
        """Leave out Gluon's check and download."""


class _Reader100(CIFAR100):
    def _get_data(self):
        """Leave out Gluon's check and download."""


@dataclass(frozen=True)
class _Variant:
    """What tells the two sets apart. `folder` is the one inside the official archive."""

    gluon: type
    reader: type
    folder: str
    pickled: tuple
    classes: int
    record: int
    options: dict = field(default_factory=dict)

    def files(self, root):
        """A reader of `root` that has read nothing yet; it knows the names and hashes."""
        return self.reader(root=str(root), **self.options)


_VARIANTS = {
    "cifar10": _Variant(
        CIFAR10, _Reader10, "cifar-10-batches-bin", ("cifar-10-batches-py", "data_batch_1"), 10, 3073
    ),
    "cifar100": _Variant(
        CIFAR100, _Reader100, "cifar-100-binary", ("cifar-100-python", "train"), 100, 3074,
        {"fine_label": True},
    ),
}  # fmt: skip


def load(name, data_dir=None):
    """((images, labels) to train on, the same to test on) of "cifar10" or "cifar100".

    images (N, 32, 32, 3) uint8, labels (N,) int32. From `data_dir`, or from Gluon's folder, which is filled by
    a download when need be. `UserError` when a file is missing or broken or cannot be had.
    """
    variant = _VARIANTS[name]
    root = _downloaded(name, variant) if data_dir is None else _find(name, variant, Path(data_dir))
    reader = variant.files(root)
    return tuple(_read(reader, variant, root, files) for files in (reader._train_data, reader._test_data))


def _read(reader, variant, root, files):
    """(images, labels) of `files`, pairs of name and official SHA-1."""
    images, labels, strange = [], [], []
    for name, sha1 in files:
        path = root / name
        try:
            _check_size(path, variant)
            part = reader._read_batch(str(path))
            official = check_sha1(str(path), sha1)
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from None
        if part[1].max() >= variant.classes:
            raise UserError(f"{path} is corrupt: it holds label {part[1].max()}; {_fetch(reader)}")
        images.append(part[0])
        labels.append(part[1])
        strange += [] if official else [name]
    images, labels = np.concatenate(images), np.concatenate(labels)
    if strange:
        message = "%s in %s: not the official data (SHA-1 differs); %d images are used as they are"
        get_logger().warning(message, ", ".join(strange), root, len(labels))
    return images, labels


def _check_size(path, variant):
    size = path.stat().st_size
    if not size or size % variant.record:
        raise UserError(
            f"{path} is truncated or not a CIFAR binary file: {size} bytes are not a multiple of "
            f"{variant.record}; delete it and unpack the archive again"
        )


def _find(name, variant, root):
    """The user's folder with the .bin files: `root` or the archive's own folder in it."""
    root = root.expanduser()
    if not root.is_dir():
        problem = "is not a folder" if root.exists() else "does not exist"
        raise UserError(f"--data-dir {root} {problem}; name the folder that holds {name}'s .bin files")
    reader = variant.files(root)
    inner = root / variant.folder
    folder = inner if _missing(reader, root) and inner.is_dir() else root
    missing = _missing(reader, folder)
    if not missing:
        return folder
    if any((folder / item).exists() for item in variant.pickled):
        raise UserError(f"{folder} holds the Python version of {name}, a pickle, not read; {_fetch(reader)}")
    raise UserError(f"{folder} lacks {', '.join(missing)}; {_fetch(reader)}")


def _missing(reader, folder):
    return [file for file, _ in reader._train_data + reader._test_data if not (folder / file).is_file()]


def _downloaded(name, variant):
    """Gluon's own folder, filled by Gluon's reader: each file's hash checked, fetched if missing or wrong."""
    root = ensure_dir(Path(mx.base.data_dir(), "datasets", name))
    reader = variant.files(root)
    try:
        with _locked(root / ".lock"), contextlib.redirect_stdout(sys.stderr):
            if _missing(reader, root):
                _probe(_get_repo_file_url(f"gluon/dataset/{name}", reader._archive_file[0]))
            variant.gluon(root=str(root), train=False)
    except Exception as error:
        # requests, tarfile and Gluon raise what they like; the user's way out is always the same.
        reason = f"{type(error).__name__}; is there a network?" if isinstance(error, OSError) else error
        raise UserError(f"cannot download {name} ({reason}): {_fetch(reader)}") from None
    return root


def _probe(url):
    """Fail in seconds where there is no network; Gluon's download tries six times and has no time limit."""
    # Here, not above: it is needed for a download only and takes 0.1 s to import.
    import requests

    requests.head(url, timeout=_PROBE_SECONDS, allow_redirects=True).raise_for_status()


@contextlib.contextmanager
def _locked(path):
    """One process at a time: those of one host would unpack over each other's files."""
    with open(path, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _fetch(reader):
    return f"get {reader._archive_file[0]} from {_PAGE}, unpack it and pass its folder with --data-dir"
