"""Signals that arrive while an object is freed."""

import signal
import sys
import threading
import time
from types import SimpleNamespace

import lost_signals
import pytest
from lost_signals import get_while_freeing

from gluon_attn.utils import interrupts
from gluon_attn.utils.interrupts import raised_again


class Ended(BaseException):
    pass


class Raising:
    def __del__(self):
        raise KeyboardInterrupt


@pytest.fixture
def handler():
    """`handler(number, function)` sets one for the test; the default raises KeyboardInterrupt."""
    before = {}

    def change(number, function=signal.default_int_handler):
        before[number] = signal.signal(number, function)

    yield change
    for number, function in before.items():
        signal.signal(number, function)


@pytest.mark.parametrize("times", [1, 3])
def test_ctrl_c_is_raised_where_it_can_be_caught(handler, capsys, times):
    handler(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), raised_again(KeyboardInterrupt, signal.SIGINT):
        get_while_freeing(signal.SIGINT, times)
    time.sleep(0.1)  # nothing comes twice
    assert capsys.readouterr().err == ""


def test_the_signal_again_while_it_is_noted(handler, monkeypatch):
    """In the function that Python calls for a lost exception; a third one is raised as the first."""
    handler(signal.SIGINT)
    set_handler = signal.signal

    def interrupted(*arguments):
        monkeypatch.setattr(interrupts.signal, "signal", set_handler)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(interrupts.signal, "signal", interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), raised_again(KeyboardInterrupt, signal.SIGINT):
            get_while_freeing(signal.SIGINT)


def test_a_signal_that_is_lost_at_the_end_of_the_context(handler, monkeypatch):
    handler(signal.SIGINT)
    monkeypatch.setattr(lost_signals, "LONG_ENOUGH", 0)
    with pytest.raises(KeyboardInterrupt), raised_again(KeyboardInterrupt, signal.SIGINT):
        get_while_freeing(signal.SIGINT)


def test_another_thread_gets_no_signals(handler, monkeypatch):
    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda ignored: told.append(ignored.exc_type))
    handler(signal.SIGINT)
    with raised_again(KeyboardInterrupt, signal.SIGINT):
        thread = threading.Thread(target=Raising)
        thread.start()
        thread.join()
    assert told == [KeyboardInterrupt]


def test_ignored_signals_stay_ignored(handler):
    handler(signal.SIGINT, signal.SIG_IGN)
    with raised_again(KeyboardInterrupt, signal.SIGINT):
        Raising()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_handler_that_works_once_is_set_again(handler):
    def once(number, frame):
        signal.signal(number, signal.SIG_IGN)
        raise Ended

    handler(signal.SIGTERM, once)
    with pytest.raises(Ended), raised_again(Ended, signal.SIGTERM):
        get_while_freeing(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_what_else_is_ignored_is_told_as_before(monkeypatch):
    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    before, other = sys.unraisablehook, SimpleNamespace(exc_value=ValueError("other"))
    with raised_again(KeyboardInterrupt, signal.SIGINT):
        sys.unraisablehook(other)
    assert told == [other]
    assert sys.unraisablehook is before
