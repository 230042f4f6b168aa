"""The end of a process is reported with its newest checkpoint, also where the process itself cannot."""

import os
import signal
import subprocess
import sys

import pytest
from lost_signals import get_while_freeing

from gluon_attn.engine.watchdog import checkpoint_named, newest_checkpoint, sigterm_as_error, watched
from gluon_attn.utils.errors import PeerError, TrainingError

START = """
import itertools, os, signal, subprocess
from gluon_attn.engine.watchdog import sigterm_as_error, watched

with sigterm_as_error(), watched("run"):
"""
KILLED, CRASHED = -9, -6
BUSY = """
    subprocess.Popen(["sh", "-c", f"sleep 0.2; kill {os.getpid()}"])
    sum(itertools.repeat(1))  # in C, without an end; no handler of Python's runs there
"""


def ended(code, folder):
    """The end of a process that does `code` while it is watched, with a checkpoint in `folder`."""
    (folder / "run" / "epoch-0007").mkdir(parents=True)
    command = [sys.executable, "-c", START + code]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False, cwd=folder)


@pytest.mark.parametrize(
    ("code", "exit_code", "reason"),
    [(BUSY, KILLED, "the launcher ended this process, which did not answer"),
     ("    os.abort()", CRASHED, "this process died"),
     ("    os.kill(os.getpid(), signal.SIGKILL)", KILLED, "this process died")],
)  # fmt: skip
def test_the_watchdog_reports_a_process_that_cannot(code, exit_code, reason, tmp_path):
    done = ended(code, tmp_path)
    assert done.returncode == exit_code
    assert done.stderr.splitlines() == [f"error: {reason}; the last checkpoint is run/epoch-0007"]


@pytest.mark.parametrize(
    ("code", "last"),
    [("    raise ValueError('seven')", "ValueError: seven"),
     ("    signal.raise_signal(signal.SIGTERM)", "gluon_attn.utils.errors.PeerError: the launcher ended this "
      "process, as it does once another one has ended")],
)  # fmt: skip
def test_a_process_that_reports_its_end_itself_is_left_to_it(code, last, tmp_path):
    done = ended(code, tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == last
    assert "checkpoint is" not in done.stderr


def test_a_process_that_ends_well_is_not_reported(tmp_path, capfd):
    with watched(tmp_path):
        pass
    assert capfd.readouterr() == ("", "")


LINE = """
import os, socket, time
from gluon_attn.engine.heartbeat import Line
from gluon_attn.engine.watchdog import watched

server = socket.create_server(("127.0.0.1", 0))
port = server.getsockname()[1]
silent = socket.create_connection(("127.0.0.1", port))
silent.sendall((5).to_bytes(6, "big"))
with watched("run", Line("127.0.0.1", port, 5, 0.3, server.detach())):
    time.sleep(60)
"""


def test_a_host_that_falls_silent_ends_the_process(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LINE], capture_output=True, text=True, timeout=50, check=False, cwd=tmp_path
    )
    assert done.returncode == 1
    assert done.stderr == "error: nothing comes from host 127.0.0.1 any more; there is no checkpoint yet\n"


def test_the_state_of_a_search_is_its_checkpoint(tmp_path):
    for number, name in enumerate(("ean", "random")):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (number, number))
    (tmp_path / ".scratch").mkdir()
    assert newest_checkpoint(tmp_path) == f"the last checkpoint is {tmp_path / 'random'}"


@pytest.mark.parametrize("kind", [PeerError, TrainingError])
def test_an_error_names_the_checkpoint_and_keeps_its_kind(kind, tmp_path):
    with pytest.raises(kind, match="lost; there is no checkpoint yet") as found, checkpoint_named(tmp_path):
        raise kind("lost")
    assert type(found.value) is kind


def test_without_a_checkpoint_that_is_said(tmp_path):
    assert newest_checkpoint(tmp_path / "none") == newest_checkpoint(tmp_path) == "there is no checkpoint yet"


def test_the_signal_is_a_training_error_and_what_was_before_comes_back():
    before = signal.getsignal(signal.SIGTERM)
    with sigterm_as_error():
        pass
    assert signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(TrainingError, match="the launcher ended this process"), sigterm_as_error():
        signal.raise_signal(signal.SIGTERM)
    with pytest.raises(TrainingError, match="the launcher ended this process"), sigterm_as_error():
        get_while_freeing(signal.SIGTERM)
    signal.signal(signal.SIGTERM, before)
