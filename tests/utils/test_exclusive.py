"""A folder for one process at a time."""

import subprocess
import sys

import pytest
from conftest import ROOT

from gluon_attn.utils.child_process import child_environment
from gluon_attn.utils.errors import UserError
from gluon_attn.utils.exclusive import exclusive

HOLDER = """
import sys
from gluon_attn.utils.exclusive import exclusive
with exclusive(sys.argv[1], "busy"):
    print("in", flush=True)
    sys.stdin.read()
"""


def test_one_process_at_a_time_and_no_file_stays(tmp_path):
    folder = tmp_path / "a/b"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], env=child_environment(PYTHONPATH=str(ROOT)),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout.readline() == "in\n"
    with pytest.raises(UserError, match=r"^busy$"), exclusive(folder, "busy"):
        pass
    assert list(folder.iterdir()) == []
    holder.communicate("", timeout=60)
    assert list(tmp_path.iterdir()) == []
    with exclusive(folder, "busy"):
        (folder / "x").touch()
    assert [path.name for path in folder.iterdir()] == ["x"]


def test_a_folder_is_free_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), exclusive(tmp_path, "busy"):
        1 / 0  # noqa: B018
    with exclusive(tmp_path, "busy"):
        pass
