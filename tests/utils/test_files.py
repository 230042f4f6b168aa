"""Files that are written whole or not at all."""

import os
import subprocess
import sys

import pytest

from gluon_attn.utils import files
from gluon_attn.utils.errors import UserError

AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_text_and_json_come_back(tmp_path):
    files.write_text(tmp_path / "a/b/t.txt", "grün\n")
    files.write_json(tmp_path / "v.json", {"b": [1, 2.5], "a": None})
    assert (tmp_path / "a/b/t.txt").read_text(encoding="utf-8") == "grün\n"
    assert files.read_json(tmp_path / "v.json") == {"b": [1, 2.5], "a": None}
    assert (tmp_path / "v.json").read_text().endswith("}\n")
    assert names(tmp_path) == ["a", "v.json"]


def test_a_file_is_replaced(tmp_path):
    target = tmp_path / "t"
    files.write_text(target, "old and longer")
    files.write_text(target, "new")
    assert target.read_text() == "new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    target = tmp_path / "t"
    files.write_text(target, "old")

    def write_half():
        with files.atomic_path(target) as staged:
            staged.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert target.read_text() == "old"
    assert names(tmp_path) == ["t"]


def test_nothing_is_at_the_target_before_the_end(tmp_path):
    with files.atomic_path(tmp_path / "t") as staged:
        staged.write_text("x")
        assert not (tmp_path / "t").exists()
        assert staged.name == "t"
    assert (tmp_path / "t").exists()


def test_a_folder_takes_the_place_of_a_folder(tmp_path):
    target = tmp_path / "f"
    for content in ("one", "two"):
        with files.atomic_path(target) as staged:
            staged.mkdir()
            (staged / content).write_text(content)
    assert names(target) == ["two"]
    assert names(tmp_path) == ["f"]


def test_a_target_that_nobody_wrote_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="cannot write"), files.atomic_path(tmp_path / "t"):
        pass
    assert names(tmp_path) == []


def test_a_full_disk_is_one_line(tmp_path):
    with pytest.raises(UserError) as caught, files.atomic_path(tmp_path / "t"):
        raise OSError(28, "No space left on device")
    assert str(caught.value) == f"cannot write {tmp_path / 't'}: No space left on device; nothing was left there"
    assert names(tmp_path) == []


@pytest.mark.parametrize("harm", [lambda path: os.truncate(path, 3), lambda path: path.write_bytes(bytes(80_000))])
def test_what_does_not_read_back_is_not_kept(tmp_path, harm):
    files.write_text(tmp_path / "t", "old")

    def write():
        with files.atomic_path(tmp_path / "t") as staged, files.checked_file(staged) as file:
            file.write(b"a" * 80_000)
            harm(staged)

    with pytest.raises(UserError, match=rf"cannot write {tmp_path}/t: it does not read back as it was written"):
        write()
    assert (tmp_path / "t").read_text() == "old"


def test_a_killed_writer_leaves_the_old_file_whole(tmp_path):
    target = tmp_path / "t"
    files.write_text(target, "old")
    code = (
        "import os, signal, sys\nfrom gluon_attn.utils import files\n"
        "with files.atomic_path(sys.argv[1]) as staged:\n"
        "    staged.write_text('half')\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    child = subprocess.run([sys.executable, "-c", code, target], check=False, cwd=os.getcwd())
    assert child.returncode == -9
    assert target.read_text() == "old"


def test_a_folder_below_a_file_is_a_user_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write to .*; choose another folder"):
        files.ensure_dir(tmp_path / "file/below")
    with pytest.raises(UserError, match="choose another folder"):
        files.write_text(tmp_path / "file/below/t", "")


@pytest.mark.skipif(AS_ROOT, reason="root may write everywhere")
def test_a_folder_without_permission_is_a_user_error(tmp_path):
    folder = tmp_path / "f"
    folder.mkdir(mode=0o500)
    with pytest.raises(UserError, match="permission denied"):
        files.ensure_dir(folder)


def test_a_link_to_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(UserError, match="is a link to a folder"), files.atomic_path(tmp_path / "link") as staged:
        staged.write_text("x")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1,]"])
def test_broken_json_is_a_user_error(tmp_path, content):
    (tmp_path / "v.json").write_bytes(content)
    with pytest.raises(UserError, match="is not valid JSON") as caught:
        files.read_json(tmp_path / "v.json")
    assert str(tmp_path / "v.json") in str(caught.value)


def test_missing_json_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*: No such file"):
        files.read_json(tmp_path / "v.json")


def test_sha256_of_a_known_text(tmp_path):
    (tmp_path / "t").write_bytes(b"abc")
    assert files.sha256(tmp_path / "t") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_what_a_killed_writer_left_is_cleared_and_nothing_else(tmp_path):
    script = (
        "import os, signal, sys; from gluon_attn.utils.files import atomic_path\n"
        "with atomic_path(sys.argv[1]) as staged:\n"
        "    staged.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    target = tmp_path / "run" / "best.params"
    killed = subprocess.run([sys.executable, "-c", script, str(target)], check=False)
    assert killed.returncode == -9
    (tmp_path / "run" / ".mine.kept").mkdir()
    assert len(list((tmp_path / "run").iterdir())) == 2
    files.clear_leftovers(tmp_path)
    assert names(tmp_path / "run") == [".mine.kept"]
