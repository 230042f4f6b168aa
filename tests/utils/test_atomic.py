"""Files and folders that are written whole or not at all: several at once, inside each other, after a crash."""

import os
from pathlib import Path

import pytest

from gluon_attn.utils import atomic, rename
from gluon_attn.utils.atomic import atomic_path, atomic_paths, ensure_dir, scratch_folder
from gluon_attn.utils.errors import WriteError
from gluon_attn.utils.leftovers import clear_leftovers


def tree(folder):
    """Path below a folder -> content, None of a folder."""
    return {str(path.relative_to(folder)): None if path.is_dir() else path.read_text() for path in folder.rglob("*")}


@pytest.fixture(params=["swapping", "not swapping"])
def file_system(request, monkeypatch):
    """A file system that can swap two names in one step, and one that cannot."""
    if request.param != "swapping":
        monkeypatch.setattr(rename, "_exchange", lambda first, second: False)


def full():
    raise OSError(28, "No space left on device")


def test_several_files_appear_together(tmp_path, file_system):
    (tmp_path / "a").write_text("old a")
    with atomic_paths(tmp_path / "a", tmp_path / "b") as staged:
        for path in staged:
            path.write_text(f"new {path.name}")
        assert tree(tmp_path)["a"] == "old a"
        assert not (tmp_path / "b").exists()
    assert tree(tmp_path) == {"a": "new a", "b": "new b"}


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_several_targets_are_all_as_before_where_one_fails(tmp_path, file_system, monkeypatch, kind):
    def write(paths, text):
        for path in paths:
            if kind == "folder":
                path.mkdir()
            (path / "content" if kind == "folder" else path).write_text(text)

    def write_new():
        with atomic_paths(*(tmp_path / name for name in "abcd")) as staged:
            write(staged, "new")

    write([tmp_path / "a", tmp_path / "b"], "old")
    before, move = tree(tmp_path), rename._move
    monkeypatch.setattr(rename, "_move", lambda staged, target: full() if target.name == "d" else move(staged, target))
    with pytest.raises(WriteError, match=r"cannot write .*/a: No space left"):
        write_new()
    assert tree(tmp_path) == before


def test_a_folder_is_replaced_with_its_content(tmp_path, file_system):
    for content in ("one", "two"):
        with atomic_path(tmp_path / "f") as staged:
            (staged / "deep").mkdir(parents=True)
            (staged / "deep" / content).write_text("")
    assert tree(tmp_path) == {"f": None, "f/deep": None, "f/deep/two": ""}


def test_a_folder_that_cannot_be_replaced_comes_back(tmp_path, monkeypatch):
    def refuse_new(source, target):
        return full() if (Path(source).name, target) == ("f", tmp_path / "f") else rename_(source, target)

    def write():
        with atomic_path(tmp_path / "f") as staged:
            staged.mkdir()
            monkeypatch.setattr(os, "rename", refuse_new)

    (tmp_path / "f").mkdir()
    (tmp_path / "f/old").write_text("old")
    monkeypatch.setattr(rename, "_exchange", lambda first, second: False)
    rename_ = os.rename
    with pytest.raises(WriteError, match="the old folder is unchanged"):
        write()
    assert tree(tmp_path) == {"f": None, "f/old": "old"}


def test_a_file_system_without_hard_links(tmp_path, monkeypatch):
    monkeypatch.setattr(rename, "_exchange", lambda first, second: False)
    monkeypatch.setattr(os, "link", lambda *_: full())
    for text in ("old", "new"):
        with atomic_path(tmp_path / "t") as staged:
            staged.write_text(text)
    assert tree(tmp_path) == {"t": "new"}


def test_a_folder_is_not_replaced_by_a_file(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "kept").write_text("kept")
    with pytest.raises(WriteError) as caught, atomic_path(tmp_path / "mine") as staged:
        staged.write_text("x")
    reason = "it is a folder; choose another name; the old folder is unchanged"
    assert str(caught.value) == f"cannot write {tmp_path / 'mine'}: {reason}"
    with (
        pytest.raises(WriteError, match="it is a file; choose another name"),
        atomic_path(tmp_path / "mine/kept") as staged,
    ):
        staged.mkdir()
    assert tree(tmp_path) == {"mine": None, "mine/kept": "kept"}


def test_inside_a_folder_on_its_way_messages_name_the_folder(tmp_path):
    def write_inside(fail):
        with atomic_path(tmp_path / "out/f") as staged:
            staged.mkdir()
            with atomic_path(ensure_dir(staged / "deep") / "t") as inner:
                inner.write_text("x")
                fail()

    with pytest.raises(WriteError) as caught:
        write_inside(full)
    assert str(caught.value) == f"cannot write {tmp_path / 'out/f'}: No space left on device; nothing was left there"
    assert tree(tmp_path) == {}
    write_inside(lambda: None)
    assert tree(tmp_path / "out") == {"f": None, "f/deep": None, "f/deep/t": "x"}
    assert not atomic._active


@pytest.mark.parametrize("name", ["mkdtemp", "hold"])
def test_a_disk_on_which_nothing_can_be_made(tmp_path, monkeypatch, name):
    monkeypatch.setattr(atomic.tempfile if name == "mkdtemp" else atomic, name, lambda *_, **__: full())
    with pytest.raises(WriteError) as caught, atomic_path(tmp_path / "new/t"):
        pass
    assert str(caught.value) == f"cannot write {tmp_path / 'new/t'}: No space left on device; nothing was left there"
    assert tree(tmp_path) == {}


def test_a_source_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(WriteError) as caught, atomic_path(tmp_path / "t"):
        (tmp_path.parent / "no source").read_text()
    assert f"{tmp_path / 't'}: {tmp_path.parent / 'no source'}: No such file" in str(caught.value)


def test_long_names(tmp_path):
    with atomic_path(tmp_path / ("n" * 250)) as staged:
        staged.write_text("x")
    assert tree(tmp_path) == {"n" * 250: "x"}


def test_what_a_killed_writer_had_taken_away_is_put_back(tmp_path):
    """It was killed between the two renames of a folder."""
    with scratch_folder(tmp_path, tmp_path / "state") as scratch:
        (scratch / "state.replaced").mkdir()
        (scratch / "state.replaced" / "old").write_text("old")
        (scratch / "state").mkdir()
        os.rename(scratch, tmp_path / ".state.killed")
    clear_leftovers(tmp_path)
    assert tree(tmp_path) == {"state": None, "state/old": "old"}
