"""Libraries of the system that are missing are named by the packages that have them."""

import pytest

from gluon_attn.utils import shared_libraries
from gluon_attn.utils.shared_libraries import NEEDED, missing_packages


def nothing_loads(name):
    raise OSError(f"{name}: cannot open shared object file")


@pytest.fixture
def folder(tmp_path):
    for libraries in NEEDED.values():
        for name in libraries:
            (tmp_path / name).touch()
    return tmp_path


def test_nothing_is_missing_here():
    assert missing_packages() == []


def test_files_are_enough(folder):
    assert missing_packages([folder], nothing_loads) == []


@pytest.mark.parametrize(
    ("name", "package"), [("libgomp.so.1", "libgomp1"), ("libquadmath.so.0", "libquadmath0"), ("libGL.so.1", "libgl1")]
)
def test_a_missing_one_is_named(folder, name, package):
    (folder / name).unlink()
    loaded = []
    assert missing_packages([folder], loaded.append) == []  # it lies elsewhere
    assert loaded == [name]
    assert missing_packages([folder], nothing_loads) == [package]


def test_opencv_without_windows_needs_none(folder, monkeypatch):
    for name in NEEDED["opencv-python"]:
        (folder / name).unlink()
    monkeypatch.setattr(shared_libraries, "_installed", lambda name: False)
    assert missing_packages([folder], nothing_loads) == []
