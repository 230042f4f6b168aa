"""A watchdog process, which reports why one of several training processes died, and the newest checkpoint.

A launcher ends the other processes with SIGTERM once one has died. Inside MXNet Python handles no signal, and a failed
all-reduce can crash MXNet, whose threads note errors in one list without a lock. So a small watchdog process beside
each training process reports the end where the process itself cannot.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from ..utils.child_process import child_environment
from ..utils.errors import PeerError, TrainingError, WriteError
from ..utils.files import epochs
from ..utils.interrupts import raised_again
from .heartbeat import Line, listen

_REPORTED = bytes(1)  # the pipe carries this byte, and the numbers of signals
_GRACE = 2.0  # seconds for a process to end by itself; horovodrun kills it after five


def newest_checkpoint(folder: Path | str) -> str:
    """The newest checkpoint in a folder, in words for an error message."""
    last = epochs(folder) or _search_states(Path(folder))
    return f"the last checkpoint is {last[-1]}" if last else "there is no checkpoint yet"


def _search_states(folder: Path) -> list[Path]:
    """The folders that EAN's searches keep their states in, the last written one last."""
    found = folder.iterdir() if folder.is_dir() else ()
    whole = (path for path in found if path.is_dir() and not path.name.startswith("."))
    return sorted(whole, key=lambda path: path.stat().st_mtime)


@contextlib.contextmanager
def checkpoint_named(folder: Path | str, watchdog: contextlib.AbstractContextManager | None = None) -> Iterator[None]:
    """A context in which the reason why the run cannot continue is reported with its newest checkpoint.

    Args:
        folder: where the checkpoints of the run are.
        watchdog: `watched`, for a run of several processes (default: none).

    Raises:
        TrainingError: as in the context, or a file of the run cannot be written; with the newest checkpoint.
    """
    try:
        with watchdog or contextlib.nullcontext():
            yield
    except (TrainingError, WriteError) as error:
        kind = TrainingError if isinstance(error, WriteError) else type(error)
        raise kind(f"{error}; {newest_checkpoint(folder)}") from None


@contextlib.contextmanager
def sigterm_as_error() -> Iterator[None]:
    """A context in which SIGTERM, which launchers send once a process has died, is a `PeerError`."""

    def stop(number, frame):
        raise PeerError("the launcher ended this process, as it does once another one has ended")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    after = before
    try:
        with raised_again(PeerError, signal.SIGTERM):
            yield
    except PeerError:
        after = signal.SIG_IGN  # a second SIGTERM must not cut the error message off
        raise
    finally:
        signal.signal(signal.SIGTERM, after)


@contextlib.contextmanager
def watched(folder: Path | str, line: Line | None = None) -> Iterator[None]:
    """A context in which a watchdog process reports the death of this one with the newest checkpoint in `folder`.

    An exception that leaves the context is not reported: the process reports it itself. A host of the run that falls
    silent is reported, and ends this process with 1.

    Args:
        folder: where the checkpoints of the run are.
        line: how the watchdog hears of other hosts (default: it does not); its listener is closed.
    """
    listeners = [] if line is None or line.listener is None else [line.listener]
    try:
        if threading.current_thread() is not threading.main_thread():  # signals go to the main thread
            yield
            return
        command = [sys.executable, "-c", f"from {__name__} import main; main()", str(folder)]
        # in a session of its own: Ctrl-C is for the process that works
        watchdog = subprocess.Popen(
            [*command, *(line.words() if line else [])], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
            env=child_environment(), start_new_session=True, pass_fds=listeners,
        )  # fmt: skip
    finally:
        for listener in listeners:
            os.close(listener)
    threading.Thread(target=_end_when_told, args=(watchdog.stdout,), daemon=True).start()
    pipe = watchdog.stdin
    assert pipe is not None  # stdin=PIPE makes it
    os.set_blocking(pipe.fileno(), False)
    before = signal.set_wakeup_fd(pipe.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        with contextlib.suppress(BrokenPipeError):
            pipe.write(_REPORTED)
        pipe.close()
        if not isinstance(sys.exc_info()[1], PeerError):  # which is to be reported before MXNet may crash
            watchdog.wait()


def _end_when_told(pipe):
    """End this process when the watchdog has reported why: the main thread waits in MXNet for what never comes."""
    if pipe.read(1):
        sys.stdout.flush()
        os._exit(1)


def reason_of_death(pipe: int) -> str | None:
    """Why the process at the other end of a pipe ended without reporting it; None where it did report.

    Args:
        pipe: file descriptor to read; it carries the numbers of the signals that the process receives.
    """
    seconds = None
    while select.select([pipe], (), (), seconds)[0]:
        received = os.read(pipe, 1)
        if not received:
            return "this process died"
        if received == _REPORTED:
            return None
        if received[0] == signal.SIGTERM:
            seconds = _GRACE
    return "the launcher ended this process, which did not answer"


def main() -> None:
    """The watchdog process: wait for the end of its parent, and report it where the parent has not."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # launchers may send it to all processes
    parent, (folder, *line) = os.getppid(), sys.argv[1:]
    only_once = threading.Lock()

    def report(reason):
        if only_once.acquire(blocking=False):
            print(f"error: {reason}; {newest_checkpoint(folder)}", file=sys.stderr, flush=True)

    def lost(address):
        report(f"nothing comes from host {address} any more")
        os.write(sys.stdout.fileno(), _REPORTED)
        time.sleep(_GRACE)
        _kill(parent)

    if line:
        threading.Thread(target=listen, args=(Line.parse(line), lost), daemon=True).start()
    reason = reason_of_death(sys.stdin.fileno())
    if reason is not None:
        report(reason)
        _kill(parent)


def _kill(parent):
    with contextlib.suppress(ProcessLookupError):
        if os.getppid() == parent:
            os.kill(parent, signal.SIGKILL)
