"""Workers of this machine: their cores, their error messages, and that they end with their parent."""

import os
import signal
import subprocess
import sys
import time

import pytest

from gluon_attn.runs.study import processes
from gluon_attn.runs.study.folder import StudyFolder
from gluon_attn.runs.study.processes import shares, started
from gluon_attn.utils.child_process import child_environment


@pytest.mark.parametrize(
    ("workers", "cores", "expected"),
    [
        (1, [0, 1, 2], [[0, 1, 2]]),
        (2, [0, 1, 2, 5], [[0, 1], [2, 5]]),
        (2, [3, 4, 5], [[3], [4, 5]]),
        (3, [0, 1], [[0], [1], [0]]),
    ],
)
def test_cores_are_shared(workers, cores, expected):
    assert shares(workers, cores) == expected


@pytest.fixture
def run_instead(monkeypatch, tmp_path):
    """Workers that run Python code: `run_instead(code)` starts two and yields them."""

    def start(code):
        class Popen(subprocess.Popen):
            def __init__(self, command, **options):
                super().__init__([sys.executable, "-c", code], **options)

        monkeypatch.setattr(processes.subprocess, "Popen", Popen)
        return started(StudyFolder(tmp_path), 2, None, None, {})

    return start


def wait(workers):
    until = time.monotonic() + 30
    while workers.alive and time.monotonic() < until:
        time.sleep(0.02)


def test_last_words_come_from_the_workers(run_instead):
    with run_instead("print('the disk is full')") as workers:
        wait(workers)
        assert workers.last_words() == "the disk is full"


def test_a_worker_that_was_killed_is_told(run_instead, tmp_path):
    with run_instead("import os; os.kill(os.getpid(), 11)") as workers:
        wait(workers)
        assert workers.last_words() == f"the workers ended, one by SIGSEGV, before all runs: see {tmp_path / 'workers'}"


def test_workers_are_ended_with_the_block(run_instead, tmp_path):
    begin = time.monotonic()
    with run_instead("import time; time.sleep(99)") as workers:
        assert workers.alive
    assert not workers.alive
    assert time.monotonic() - begin < 20


def test_a_worker_ends_with_its_parent(tmp_path):
    """Also where that is killed: its end of a pipe is closed."""
    code = (
        "import os, sys, threading, time\nfrom gluon_attn.runs.study import worker\n"
        "import signal; signal.signal(signal.SIGTERM, worker._interrupt)\n"
        "threading.Thread(target=worker._end_with_parent, daemon=True).start()\n"
        "print('ready', flush=True); time.sleep(99)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    with process:
        assert process.stdout.readline() == b"ready\n"
        process.stdin.close()
        assert process.wait(20) in (1, 130, -signal.SIGINT)


def test_a_worker_that_frees_an_object_ends_too(tmp_path):
    code = (
        "import signal, sys\nfrom lost_signals import get_while_freeing\nfrom gluon_attn.runs.study import worker\n"
        "worker.load_all = lambda: get_while_freeing(signal.SIGTERM)\n"
        f"sys.argv[1:] = [{str(tmp_path)!r}]; sys.exit(worker.main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        env=child_environment(),
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
