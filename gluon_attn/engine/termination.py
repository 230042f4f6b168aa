"""The end of a process by its launcher, as an exception."""

import contextlib
import signal
import threading

from ..utils.errors import TrainingError


@contextlib.contextmanager
def terminated():
    """SIGTERM, which launchers send once a process has died, is a `TrainingError`."""

    def stop(number, frame):
        raise TrainingError("the launcher ended this process, as it does once another one has ended")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    after = before
    try:
        yield
    except TrainingError:
        after = signal.SIG_IGN  # the launcher's must not cut the last words short
        raise
    finally:
        signal.signal(signal.SIGTERM, after)
