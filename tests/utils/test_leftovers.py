"""What killed writers leave is removed by the next one, what living ones write is not."""

import os
import signal

from gluon_attn.utils.files import atomic_path, write_text

WRITER = """
import os, signal
from gluon_attn.utils.files import atomic_path

with atomic_path("target.txt") as staged:
    staged.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_next_writer_clears_up(tmp_path, run_command):
    assert run_command("-c", WRITER).returncode == -signal.SIGKILL
    assert [path.name[:12] for path in tmp_path.iterdir()] == [".target.txt."]
    write_text(tmp_path / "other.txt", "another target")
    assert len(os.listdir(tmp_path)) == 2
    with atomic_path(tmp_path / "target.txt") as first:
        first.write_text("first")
        write_text(tmp_path / "target.txt", "second")  # while the first is being written
        assert first.read_text() == "first"
    assert (tmp_path / "target.txt").read_text() == "first"
    assert sorted(os.listdir(tmp_path)) == ["other.txt", "target.txt"]


def test_folders_without_a_mark_are_left_alone(tmp_path):
    (tmp_path / ".target.txt.mine").mkdir()
    write_text(tmp_path / "target.txt", "text")
    assert sorted(os.listdir(tmp_path)) == [".target.txt.mine", "target.txt"]
