"""A process that is ended leaves the name of its checkpoint, also where it cannot speak."""

import subprocess
import sys

import pytest

from gluon_attn.engine.watchdog import kept, spoken_for

START = """
import itertools, os, signal, subprocess
from gluon_attn.cli.last_words import spoken_for
from gluon_attn.engine.termination import terminated

with terminated(), spoken_for("run"):
"""
KILLED, CRASHED = -9, -6
BUSY = """
    subprocess.Popen(["sh", "-c", f"sleep 0.2; kill {os.getpid()}"])
    sum(itertools.repeat(1))  # in C, without an end; no handler of Python's runs there
"""


def ended(code, folder):
    """The end of a process that does `code` while it is spoken for, with a checkpoint in `folder`."""
    (folder / "run" / "epoch-0007").mkdir(parents=True)
    command = [sys.executable, "-c", START + code]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False, cwd=folder)


@pytest.mark.parametrize(
    ("code", "exit_code", "reason"),
    [(BUSY, KILLED, "the launcher ended this process, which did not answer"),
     ("    os.abort()", CRASHED, "this process broke off"),
     ("    os.kill(os.getpid(), signal.SIGKILL)", KILLED, "this process broke off")],
)  # fmt: skip
def test_a_process_without_a_word_is_spoken_for(code, exit_code, reason, tmp_path):
    done = ended(code, tmp_path)
    assert done.returncode == exit_code
    assert done.stderr.splitlines() == [f"error: {reason}; the last checkpoint is run/epoch-0007"]


@pytest.mark.parametrize(
    ("code", "last"),
    [("    raise ValueError('seven')", "ValueError: seven"),
     ("    signal.raise_signal(signal.SIGTERM)", "gluon_attn.utils.errors.TrainingError: the launcher ended this "
      "process, as it does once another one has ended")],
)  # fmt: skip
def test_a_process_that_speaks_is_not_interrupted(code, last, tmp_path):
    done = ended(code, tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == last
    assert "checkpoint is" not in done.stderr


def test_a_process_that_does_its_work_ends_in_silence(tmp_path, capfd):
    with spoken_for(tmp_path):
        pass
    assert capfd.readouterr() == ("", "")


def test_without_a_checkpoint_that_is_said(tmp_path):
    assert kept(tmp_path / "none") == kept(tmp_path) == "there is no checkpoint yet"
