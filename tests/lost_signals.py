"""Signals that arrive while an object is freed, where Python ignores what a handler raises."""

import signal
import time

LONG_ENOUGH = 20  # seconds


class _Freed:
    """Gets a signal while it is freed, as often as `times` says."""

    def __init__(self, number: int, times: int):
        self.number, self.times = number, times

    def __del__(self):
        try:
            signal.raise_signal(self.number)
        finally:
            if self.times > 1:
                _Freed(self.number, self.times - 1)


def get_while_freeing(number: int, times: int = 1) -> None:
    """Get a signal while an object is freed, or objects; then do nothing for long enough that a test fails."""
    _Freed(number, times)
    time.sleep(LONG_ENOUGH)
