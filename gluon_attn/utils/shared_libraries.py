"""Shared libraries of the system that the wheels of MXNet and OpenCV need and minimal images lack."""

import ctypes
import importlib.metadata as metadata
from collections.abc import Callable, Sequence
from pathlib import Path

#: distribution -> shared library -> Debian's package
NEEDED = {
    "mxnet": {"libgomp.so.1": "libgomp1", "libquadmath.so.0": "libquadmath0"},
    "opencv-python": {"libGL.so.1": "libgl1", "libgthread-2.0.so.0": "libglib2.0-0", "libxcb.so.1": "libxcb1"},
}
#: where distributions keep them; looked at first, since loading one takes time and OpenMP's reads its settings then
FOLDERS = tuple(map(Path, ("/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib")))


def missing_packages(folders: Sequence[Path] = FOLDERS, load: Callable[[str], object] = ctypes.CDLL) -> list[str]:
    """Debian's packages of the shared libraries that are not here.

    Args:
        folders: where they usually are.
        load: opens a library by name, or raises `OSError`.
    """
    found = []
    for distribution, libraries in NEEDED.items():
        lacking = [name for name in libraries if not any((folder / name).exists() for folder in folders)]
        lacking = [name for name in lacking if not _loads(name, load)]
        if lacking and (distribution == "mxnet" or _installed(distribution)):
            found += [libraries[name] for name in lacking]
    return found


def _loads(name: str, load: Callable[[str], object]) -> bool:
    try:
        load(name)
    except OSError:
        return False
    return True


def _installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True
