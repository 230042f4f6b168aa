"""Signals that arrive while an object is freed."""

import signal
import sys
import time
from types import SimpleNamespace

import pytest
from lost_signals import get_while_freeing

from gluon_attn.utils.interrupts import raised_again


class Ended(BaseException):
    pass


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
