"""A process that is ended says so, also while it is inside a library."""

import signal
import subprocess
import sys

import pytest

from gluon_attn.engine.termination import terminated
from gluon_attn.utils.errors import TrainingError

BUSY = """
import os, signal, threading, time
from gluon_attn.engine.termination import terminated

with terminated(lambda: "the last checkpoint is seven"):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # the signal does not wake the main thread
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
    time.sleep(60)
"""


def test_the_signal_is_a_training_error_and_what_was_before_comes_back():
    before = signal.getsignal(signal.SIGTERM)
    with terminated(lambda: ""):
        pass
    assert signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(TrainingError, match="the launcher ended this process"), terminated(lambda: ""):
        signal.raise_signal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, before)
    assert signal.set_wakeup_fd(-1) == -1


def test_a_busy_main_thread_is_spoken_for():
    done = subprocess.run([sys.executable, "-c", BUSY], capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: the launcher ended this process, as it does once another one has ended; the last checkpoint is seven"
    ]
