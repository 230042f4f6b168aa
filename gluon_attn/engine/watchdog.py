"""What one of several processes leaves on the terminal when it is ended: the newest checkpoint.

A small process beside it says so, since the first cannot always: inside MXNet Python hears no signal, and a failed
allreduce can crash MXNet, whose threads note errors in one list without a lock.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading

from ..utils.files import epochs

_SAID = bytes(1)  # beside it the pipe has numbers of signals
_PATIENCE = 2.0  # seconds that a process has to end by itself; horovodrun kills it after five


def kept(folder):
    """The newest of the checkpoints in `folder`, as words."""
    last = epochs(folder)
    return f"the last checkpoint is {last[-1]}" if last else "there is no checkpoint yet"


@contextlib.contextmanager
def spoken_for(folder):
    """While it lasts, the end of this process is told with the newest checkpoint in `folder`; an exception is not."""
    if threading.current_thread() is not threading.main_thread():  # signals go to the main thread
        yield
        return
    command = [sys.executable, "-c", f"from {__name__} import stand_by; stand_by()", str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    # in a session of its own: Ctrl-C is for the process that works
    other = subprocess.Popen(command, stdin=subprocess.PIPE, bufsize=0, env=environment, start_new_session=True)
    os.set_blocking(other.stdin.fileno(), False)
    before = signal.set_wakeup_fd(other.stdin.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        with contextlib.suppress(BrokenPipeError):
            other.stdin.write(_SAID)
        other.stdin.close()
        other.wait()


def why(pipe):
    """Why the process at the other end of a pipe cannot speak for itself; None where it has."""
    seconds = None
    while select.select([pipe], (), (), seconds)[0]:
        heard = os.read(pipe, 1)
        if not heard:
            return "this process broke off"
        if heard == _SAID:
            return None
        if heard[0] == signal.SIGTERM:
            seconds = _PATIENCE
    return "the launcher ended this process, which did not answer"


def stand_by():
    """The small process: wait for the end of its parent, and say it where that one has not."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # launchers may send it to all processes
    parent = os.getppid()
    reason = why(sys.stdin.fileno())
    if reason is None:
        return
    print(f"error: {reason}; {kept(sys.argv[1])}", file=sys.stderr, flush=True)
    with contextlib.suppress(ProcessLookupError):
        if os.getppid() == parent:
            os.kill(parent, signal.SIGKILL)
