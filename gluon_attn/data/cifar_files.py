"""CIFAR's binary files: found or downloaded, checked, read.

Gluon's readers know the files, their hashes, the records and the download. But their constructor replaces any file
that is not the official one by a download. So only Gluon's own folder is handed to it; the user's folder is read by
the same readers with that step left out, after the checks below.
"""

import contextlib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
from filelock import FileLock
from mxnet.gluon.data.vision import CIFAR10, CIFAR100
from mxnet.gluon.utils import _get_repo_file_url, check_sha1

from ..utils.errors import FULL_DISK, UserError, WriteError
from ..utils.files import ensure_dir
from ..utils.log import get_logger

_PAGE = "https://www.cs.toronto.edu/~kriz/cifar.html"
_PROBE_SECONDS = 10
#: (images (N, 32, 32, 3) uint8, labels (N,) int32)
Arrays = tuple[np.ndarray, np.ndarray]


class _Reader10(CIFAR10):
    def _get_data(self) -> None:
        """Leave out Gluon's check and download."""


class _Reader100(CIFAR100):
    def _get_data(self) -> None:
        """Leave out Gluon's check and download."""


@dataclass(frozen=True)
class _Variant:
    """What differs between the two sets. `folder` is the one inside the official archive."""

    gluon: type
    reader: type
    folder: str
    pickled: tuple[str, str]
    classes: int
    record: int
    options: dict[str, Any] = field(default_factory=dict)

    def files(self, root: Path) -> Any:
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


def load(name: str, data_dir: str | None = None) -> tuple[Arrays, Arrays]:
    """Read CIFAR.

    Args:
        name: "cifar10" or "cifar100".
        data_dir: folder with the .bin files (default: Gluon's folder, which is filled by a download if need be).

    Returns:
        (training set, test set), each as (images (N, 32, 32, 3) uint8, labels (N,) int32).

    Raises:
        UserError: a file is missing or corrupt or cannot be downloaded.
    """
    variant = _VARIANTS[name]
    root = _downloaded(name, variant) if data_dir is None else _find(name, variant, Path(data_dir))
    reader = variant.files(root)
    return _read(reader, variant, root, reader._train_data), _read(reader, variant, root, reader._test_data)


def _read(reader: Any, variant: _Variant, root: Path, files: list[tuple[str, str]]) -> Arrays:
    """Read `files`, pairs of name and official SHA-1."""
    images, labels, unofficial = [], [], []
    for name, sha1 in files:
        path = root / name
        try:
            _check_size(path, variant)
            batch = reader._read_batch(str(path))
            official = check_sha1(str(path), sha1)
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from None
        if batch[1].max() >= variant.classes:
            raise UserError(f"{path} is corrupt: it holds label {batch[1].max()}; {_advice(reader)}")
        images.append(batch[0])
        labels.append(batch[1])
        unofficial += [] if official else [name]
    arrays = np.concatenate(images), np.concatenate(labels)
    if unofficial:
        message = "%s in %s: not the official data (SHA-1 differs); %d images are used as they are"
        get_logger().warning(message, ", ".join(unofficial), root, len(arrays[1]))
    return arrays


def _check_size(path: Path, variant: _Variant) -> None:
    size = path.stat().st_size
    if not size or size % variant.record:
        raise UserError(
            f"{path} is truncated or not a CIFAR binary file: {size} bytes are not a multiple of "
            f"{variant.record}; delete it and unpack the archive again"
        )


def _find(name: str, variant: _Variant, root: Path) -> Path:
    """The user's folder with the .bin files: `root` or the archive's own folder in it."""
    root = root.expanduser()
    if not root.is_dir():
        problem = "is not a folder" if root.exists() else "does not exist"
        raise UserError(f"option data_dir {root} {problem}; name the folder that holds {name}'s .bin files")
    reader = variant.files(root)
    inner = root / variant.folder
    folder = inner if _missing(reader, root) and inner.is_dir() else root
    missing = _missing(reader, folder)
    if not missing:
        return folder
    if any((folder / item).exists() for item in variant.pickled):
        raise UserError(f"{folder} holds the Python version of {name}, a pickle, not read; {_advice(reader)}")
    raise UserError(f"{folder} lacks {', '.join(missing)}; {_advice(reader)}")


def _missing(reader: Any, folder: Path) -> list[str]:
    return [file for file, _ in reader._train_data + reader._test_data if not (folder / file).is_file()]


def _downloaded(name: str, variant: _Variant) -> Path:
    """Gluon's own folder, filled by Gluon's reader: each file's hash checked, fetched if missing or wrong."""
    root = ensure_dir(Path(mx.base.data_dir(), "datasets", name))
    reader = variant.files(root)
    try:
        # the processes of one host would unpack over each other's files
        with FileLock(root / ".lock"), contextlib.redirect_stdout(sys.stderr):
            if _missing(reader, root):
                _probe(_get_repo_file_url(f"gluon/dataset/{name}", reader._archive_file[0]))
            variant.gluon(root=str(root), train=False)
    except Exception as error:
        # requests, tarfile and Gluon raise various errors; the user's way out is always the same
        for part in root.glob(f"{reader._archive_file[0]}.*"):  # Gluon leaves one for each try
            part.unlink()
        reason = f"{type(error).__name__}; is there a network?" if isinstance(error, OSError) else error
        if isinstance(error, OSError) and error.errno in FULL_DISK:
            raise WriteError(f"cannot write {name} to {root}: {error.strerror}; make room and try again") from None
        raise UserError(f"cannot download {name} ({reason}): {_advice(reader)}") from None
    return root


def _probe(url: str) -> None:
    """Fail in seconds where there is no network; Gluon's download tries six times and has no time limit."""
    import requests  # imported here because only a download needs it, and it takes 0.1 s

    requests.head(url, timeout=_PROBE_SECONDS, allow_redirects=True).raise_for_status()


def _advice(reader: Any) -> str:
    return f"get {reader._archive_file[0]} from {_PAGE}, unpack it and pass its folder as option data_dir"
