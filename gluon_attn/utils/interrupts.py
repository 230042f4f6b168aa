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
import time
from collections.abc import Iterator
from typing import Any

_SOON = 0.01  # seconds, in which the object has been freed


@contextlib.contextmanager
def raised_again(kind: type[BaseException], number: int) -> Iterator[None]:
    """A context in which a signal whose exception was lost is sent again, until it is raised where it can be caught.

    Args:
        kind: what the signal's handler raises.
        number: of the signal; its handler is the one that is set when the context begins.
    """
    handler, before = signal.getsignal(number), sys.unraisablehook
    is_sent = False

    def send() -> None:
        nonlocal is_sent
        time.sleep(_SOON)
        is_sent = False
        os.kill(os.getpid(), number)

    def hook(ignored: Any) -> None:
        nonlocal is_sent
        if not isinstance(ignored.exc_value, kind):
            before(ignored)
        elif not is_sent:
            is_sent = True
            signal.signal(number, handler)  # one that works once has taken itself away
            _thread.start_new_thread(send, ())  # `threading` has locks, which the main thread may be holding

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before
