"""Exceptions of signal handlers that are not lost.

Python runs a signal handler between any two instructions of the main thread. What it raises in a `__del__` ends there
with "Exception ignored in ...", and the program goes on as if Ctrl-C had not been pressed. MXNet's arrays have a
`__del__`, and training frees many.
"""

import _thread
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

_SOON = 0.01  # seconds: by then the object should have been freed, otherwise the signal is lost and sent once more


@contextlib.contextmanager
def raised_again(kind: type[BaseException], number: int) -> Iterator[None]:
    """A context in which a signal whose exception was lost is sent again, until it is raised where it can be caught.

    Args:
        kind: what the signal's handler raises.
        number: of the signal. The handler that it has when the context begins is set again before it is sent, for
            handlers that let further signals be ignored.
    """
    handler, before, main = signal.getsignal(number), sys.unraisablehook, threading.main_thread().ident
    lost = sent = 0

    def send(what: int) -> None:
        nonlocal sent
        time.sleep(_SOON)
        if what == lost:  # else another one has been lost since, which is sent for both
            sent = lost
            os.kill(os.getpid(), number)

    def hook(ignored: Any) -> None:
        nonlocal lost
        while True:
            try:
                if not isinstance(ignored.exc_value, kind) or _thread.get_ident() != main:
                    before(ignored)
                    return
                if callable(handler):
                    signal.signal(number, handler)
                lost += 1
                _thread.start_new_thread(send, (lost,))  # `threading` has locks, which this thread may be holding
                return
            except kind:  # the signal again, here
                continue

    sys.unraisablehook = hook
    try:
        yield
        until = time.monotonic() + 10 * _SOON
        while lost != sent and time.monotonic() < until:  # one is on its way
            time.sleep(_SOON / 10)
    finally:
        sys.unraisablehook = before
