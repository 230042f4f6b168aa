"""What a process says when its launcher ends it."""

import contextlib
import os
import signal
import sys
import threading

from ..utils.errors import TrainingError

_TERMINATED = "the launcher ended this process, as it does once another one has ended"
_PATIENCE = 2.0  # seconds that a process has to end by itself; horovodrun kills it after five


@contextlib.contextmanager
def terminated(last_words):
    """SIGTERM, which launchers send once a process has died, is a `TrainingError`.

    last_words: a function whose text says what is left; used where the main thread cannot raise.
    """

    def stop(number, frame):
        raise TrainingError(_TERMINATED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    after = before
    try:
        with _spoken_for(last_words):
            yield
    except TrainingError:
        after = signal.SIG_IGN  # the launcher's must not cut the last words short
        raise
    finally:
        signal.signal(signal.SIGTERM, after)


@contextlib.contextmanager
def _spoken_for(last_words):
    """Python handles no signal while the main thread is inside MXNet: another thread then says the last words."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    left = threading.Event()

    def watch():
        while number := os.read(reader, 1):
            if number[0] == signal.SIGTERM and not left.wait(_PATIENCE):
                print(f"error: {_TERMINATED}; {last_words()}", file=sys.stderr, flush=True)
                os._exit(1)

    before = signal.set_wakeup_fd(writer)
    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        left.set()
        signal.set_wakeup_fd(before)
        os.close(writer)
        thread.join()
        os.close(reader)
