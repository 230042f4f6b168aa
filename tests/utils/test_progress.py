"""Bars on terminals and lines elsewhere. Nothing waits for a time: a stream or a handler tells of what it gets."""

import contextlib
import io
import logging
import threading

import pytest

from gluon_attn.utils import progress
from gluon_attn.utils.log import get_logger
from gluon_attn.utils.progress import Progress, duration, each

_LONG = 60  # seconds, after which a test has failed


class Stream(io.StringIO):
    """A stream, a terminal or none, that says when it has been written to."""

    def __init__(self, terminal):
        super().__init__()
        self._terminal, self.written = terminal, threading.Event()

    def isatty(self):
        return self._terminal

    def write(self, text):
        super().write(text)
        if text.strip():
            self.written.set()
        return len(text)


class Lines(logging.Handler):
    """The lines of the log."""

    def __init__(self):
        super().__init__()
        self.texts, self.arrived = [], threading.Event()

    def emit(self, record):
        self.texts.append(record.getMessage())
        self.arrived.set()


@pytest.fixture(autouse=True)
def nothing_left():
    """Bars of earlier tests, which a kept error keeps, are taken away."""
    progress.close_all()


@pytest.fixture
def lines(monkeypatch):
    """What is logged, which goes nowhere else."""
    logger, handler, level = get_logger(), Lines(), get_logger().level
    monkeypatch.setattr(logger, "handlers", [handler])
    logger.setLevel(logging.INFO)
    yield handler
    logger.setLevel(level)


@pytest.fixture
def streams(monkeypatch):
    """Makes stderr and stdout terminals or not: `with streams(stderr=True)`."""

    @contextlib.contextmanager
    def make(stderr=False, stdout=False):
        err, out = Stream(stderr), Stream(stdout)
        with contextlib.redirect_stderr(err), contextlib.redirect_stdout(out):
            yield err, out

    monkeypatch.setattr(progress, "_REFRESH", 0.001)
    return make


def test_one_long_call_is_logged_every_ten_seconds(lines, streams, monkeypatch):
    assert progress.EVERY == 10
    monkeypatch.setattr(progress, "EVERY", 0.01)
    with streams() as (err, out), Progress("converting"):
        assert lines.arrived.wait(_LONG)
        lines.arrived.clear()
        assert lines.arrived.wait(_LONG)  # and again
    assert lines.texts[0] == "converting: 0 s so far"
    assert not err.getvalue() + out.getvalue()


def test_parts_are_counted_and_the_time_left_is_told(lines, streams, monkeypatch):
    monkeypatch.setattr(progress.time, "monotonic", iter(range(0, 1000, 10)).__next__)
    monkeypatch.setattr(progress.threading.Thread, "start", lambda thread: None)
    monkeypatch.setattr(progress.threading.Thread, "join", lambda thread: None)
    with streams(), Progress("epoch 3", 45, "batch") as shown:
        shown.update(1, "loss 1.5")
        assert shown.is_due
        shown.update(4, "loss 1.0", "run 2.5 h left")
        shown.line()
        assert not shown.shows_bar
    assert lines.texts == ["epoch 3 batch 5/45 loss 1.0, 4 min left, run 2.5 h left"]


@pytest.mark.parametrize("terminal", ["stderr", "stdout"])
def test_a_bar_wherever_there_is_a_terminal(lines, streams, monkeypatch, terminal):
    with streams(**{terminal: True}) as (err, out):
        chosen, other = (err, out) if terminal == "stderr" else (out, err)
        with Progress("epoch 3", 45, "batch") as shown:
            assert chosen.written.wait(_LONG)
            assert shown.shows_bar
            shown.update(5, "loss 1.0")
            chosen.written.clear()
            assert chosen.written.wait(_LONG)
            shown.line()
        drawn = chosen.getvalue()
    assert "epoch 3:" in drawn
    assert "5/45" in drawn
    assert "loss 1.0" in drawn
    assert drawn.rsplit("\r", 1)[1] == ""  # taken away
    assert not other.getvalue()
    assert len(lines.texts) == (terminal == "stdout")  # stderr has the line where it is no terminal


def test_only_the_inner_of_two_is_logged(lines, streams, monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.01)

    def wait_for(kind):
        while not any(text.startswith(kind) for text in lines.texts):
            lines.arrived.clear()
            assert lines.arrived.wait(_LONG)

    with streams(), Progress("exporting"), Progress("calibrating") as inner:
        wait_for("calibrating")
        lines.texts.clear()
        wait_for("calibrating")
        assert all(text.startswith("calibrating") for text in lines.texts)
        inner.close()
        inner.close()
        wait_for("exporting")


def test_other_processes_of_a_run_show_nothing(lines, streams):
    get_logger().setLevel(logging.ERROR)
    with streams(stderr=True) as (err, _), Progress("epoch 3", 2) as shown:
        shown.update()
        shown.line()
        assert threading.active_count() == 1 or all("progress" not in one.name for one in threading.enumerate())
    assert not err.getvalue() + "".join(lines.texts)


def test_items_are_handed_on_and_nothing_is_left(streams):
    with streams(stderr=True):
        assert list(each(iter("abc"), "reading", 3, "image")) == ["a", "b", "c"]
        first = each(iter("abc"), "reading", 3)
        assert next(first) == "a"
        first.close()
    assert not progress._open
    assert all("progress" not in one.name for one in threading.enumerate())


def test_an_error_leaves_no_bar(streams, lines):
    def fail():
        with Progress("outer"):
            items = each([1], "inner", 1)
            for _ in items:
                raise ValueError

    with streams(stderr=True) as (err, _):
        try:
            fail()
        except ValueError:  # which keeps the variables of what raised it
            assert [one._what for one in progress._open] == ["inner"]
            assert err.written.wait(_LONG)
            progress.close_all()
            assert not progress._open
            assert err.getvalue().rsplit("\r", 1)[1] == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (99, "99 s"), (120, "2 min"), (5900, "98 min"), (9000, "2.5 h")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text
