"""Paths that users give."""

import os
from pathlib import Path

import pytest

from gluon_attn.utils import paths
from gluon_attn.utils.errors import UserError
from gluon_attn.utils.printable import printable

AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    return tmp_path / "home"


def test_the_home_folder(home):
    assert paths.expanded("~/a/b") == f"{home}/a/b"
    assert paths.expanded(Path("~/a")) == home / "a"
    assert paths.expanded("~") == str(home)
    for path in ("a/~", "./~/a", "se", "", None, "~nobody-of-this-name/a"):
        assert paths.expanded(path) == path


@pytest.mark.parametrize("path", ["a" * 256, "x/" + "ü" * 128, "a\0b"])
def test_a_name_that_no_file_can_have(path):
    with pytest.raises(UserError, match="cannot be the name of a file"):
        paths.expanded(path)
    assert paths.expanded("a" * 255)


@pytest.mark.parametrize(
    ("check", "path", "reason"),
    [
        (paths.check_output_file, "missing/x", "there is no folder missing; make it, or name another file"),
        (paths.check_output_file, "folder", "it is a folder; name a file"),
        (paths.check_output_file, "folder/", "it is a folder; name a file"),
        (paths.check_output_file, "", "it is a folder; name a file"),
        (paths.check_output_file, "file/x", "file is no folder; choose another path"),
        (paths.check_new_file, "file/a/x", "file is no folder; choose another path"),
        (paths.check_new_file, "folder", "it is a folder; name a file"),
        (paths.check_new_file, os.devnull, "it is no regular file; name another one"),
        (paths.check_new_file, "caf\udce9", "its name is not UTF-8; choose another path"),
        (paths.check_output_folder, "caf\udce9/x", "its name is not UTF-8; choose another path"),
        (paths.check_output_folder, "file", "it is a file; name a folder"),
        (paths.check_output_folder, "file/a/b", "file is no folder; choose another path"),
    ],
)
def test_what_cannot_be_written(tmp_path, check, path, reason):
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError) as error:
        check(path, "option x")
    assert str(error.value) == f"cannot write to {printable(str(Path(path)))} (option x): {reason}"
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("check", "path"),
    [
        (paths.check_output_file, "new"), (paths.check_output_file, "file"), (paths.check_output_file, "folder/new"),
        (paths.check_output_file, os.devnull), (paths.check_new_file, "a/b/new"), (paths.check_new_file, "file"),
        (paths.check_output_folder, "a/b"), (paths.check_output_folder, "folder"), (paths.check_output_folder, "."),
        (paths.check_output_file, None), (paths.check_new_file, None), (paths.check_output_folder, None),
    ],
)  # fmt: skip
def test_what_can_be_written_is_not_touched(tmp_path, check, path):
    before = sorted(tmp_path.rglob("*"))
    check(path, "option x")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(AS_ROOT, reason="root may write anywhere")
def test_permissions(tmp_path):
    (tmp_path / "folder").chmod(0o500)
    (tmp_path / "file").chmod(0o400)
    for check, path in (
        (paths.check_output_file, "folder/x"), (paths.check_output_file, "file"), (paths.check_new_file, "folder/a/x"),
        (paths.check_output_folder, "folder"), (paths.check_output_folder, "folder/x"),
    ):  # fmt: skip
        with pytest.raises(UserError, match="permission denied"):
            check(path, "option x")
