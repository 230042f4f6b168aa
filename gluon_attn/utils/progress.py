"""How far something is that takes long: a bar with the time left on a terminal, elsewhere a line every ten seconds."""

import contextlib
import io
import logging
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable
from types import TracebackType
from typing import Any, TypeVar

from .log import get_logger

T = TypeVar("T")
#: most seconds without a line where stderr is no terminal
EVERY = 10.0
_EARLY = 0.8  # of that, after which who knows more than the thread logs a line
_open: "list[Progress]" = []  # the inner after the outer
_REFRESH = 1.0  # seconds until a bar is drawn, and between two drawings of one that does not move


class Progress:
    """Shows how far something is, on the terminal if stderr or stdout is one; logs it if stderr is none.

    A thread of its own sees to both, so what is shown may also be one long call. Nothing is shown where the logger
    shows no warnings, as in all processes of a run but the first.

    Args:
        what: what is being done, such as "epoch 3".
        total: number of its parts, None if it is not known.
        unit: what a part is, such as "batch".
        initial: parts that an earlier process did.
    """

    def __init__(self, what: str, total: int | None = None, unit: str = "", initial: int = 0) -> None:
        self._what, self._total, self._unit, self._initial = what, total, unit, initial
        self._count, self._note, self._start = initial, "", time.monotonic()
        self._end: str | Callable[[], str] = ""
        self._told, self._closed = self._start, threading.Event()
        self._bar: Any = None
        self._thread: threading.Thread | None = None
        if not get_logger().isEnabledFor(logging.WARNING):
            return
        self._has_terminal = _terminal() is not None
        _open.append(self)
        self._thread = threading.Thread(target=self._tell, name="gluon-attn-progress", daemon=True)
        self._thread.start()

    @property
    def shows_bar(self) -> bool:
        """Whether there is a bar, which there is from a second on."""
        return self._bar is not None

    def update(self, count: int = 1, note: str = "", end: str | Callable[[], str] = "") -> None:
        """Note that `count` more parts are done.

        Args:
            count: how many.
            note: what to show beside their number.
            end: what to show after the time left, or what tells it when it is shown.
        """
        self._count, self._note, self._end = self._count + count, note, end
        if self._bar is not None:
            self._bar.set_postfix_str(", ".join(filter(None, [note, self._last()])), refresh=False)
            self._bar.update(self._count - self._bar.n)

    @property
    def is_due(self) -> bool:
        """Whether a line should be logged, before the thread does it."""
        return time.monotonic() - self._told > _EARLY * EVERY

    def told(self) -> None:
        """Note that a line has been logged."""
        self._told = time.monotonic()

    def line(self) -> None:
        """Log how far it is, where stderr is no terminal."""
        self.told()
        if not _is_terminal(sys.stderr):
            get_logger().info("%s", self)

    def __str__(self) -> str:
        elapsed, done = time.monotonic() - self._start, self._count - self._initial
        if self._total is None:
            return f"{self._what}: {duration(elapsed)} so far{', ' * bool(self._note)}{self._note}"
        words = [part for part in (self._what, self._unit, f"{self._count}/{self._total}", self._note) if part]
        left = elapsed / done * (self._total - self._count) if done else None
        return ", ".join(
            [" ".join(words), *([f"{duration(left)} left"] if left else []), *filter(None, [self._last()])]
        )

    def _last(self) -> str:
        return self._end() if callable(self._end) else self._end

    def close(self) -> None:
        """Take the bar away; a second call does nothing."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            _open.remove(self)
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _tell(self) -> None:
        """Draw the bar anew, and log a line where the last is old, until all is done."""
        while not self._closed.wait(_REFRESH if self._has_terminal else self._told + EVERY - time.monotonic()):
            if _open[-1] is not self:  # what it consists of is shown
                self.told()
                continue
            with contextlib.suppress(OSError):  # the reader is gone, of which the main thread hears
                self._draw()
                if time.monotonic() - self._told >= EVERY:
                    self.line()

    def _draw(self) -> None:
        if self._bar is not None:
            self._bar.refresh()
        elif self._has_terminal:
            self._bar = _make_bar(self._what, self._total, self._unit, self._count)


def each(items: Iterable[T], what: str, total: int | None = None, unit: str = "") -> Generator[T, None, None]:
    """The items, while a `Progress` shows how many have been taken; arguments as there.

    Closing it closes that, and `items` if they are a generator.
    """
    with Progress(what, total, unit) as progress, _closing(items):
        for item in items:
            yield item
            progress.update()


def _closing(items: Iterable[T]) -> contextlib.AbstractContextManager[Any]:
    return contextlib.closing(items) if isinstance(items, Generator) else contextlib.nullcontext()


def close_all() -> None:
    """Take all bars away; an error keeps what was underway when it was raised."""
    for one in reversed(_open.copy()):
        one.close()


def duration(seconds: float) -> str:
    """Seconds as text, such as 40 s, 12 min or 2.5 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


class _Terminal:
    """The terminal, looked up at each writing: sys.stderr may be exchanged meanwhile, see `deploy.precision`.

    It equals both streams, so that tqdm takes the bar away while something else is written to one of them.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(_terminal() or _Nowhere(), name)

    def __eq__(self, other: object) -> bool:
        return other is sys.stderr or other is sys.stdout or isinstance(other, _Terminal)

    def __hash__(self) -> int:
        return hash(_Terminal)


class _Nowhere(io.TextIOBase):
    """Takes any text."""

    def write(self, text: str) -> int:
        """Drop the text."""
        return len(text)


def _terminal() -> Any:
    """stderr or else stdout, the first that is a terminal; None where neither is."""
    return next((stream for stream in (sys.stderr, sys.stdout) if _is_terminal(stream)), None)


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False


def _make_bar(what: str, total: int | None, unit: str, initial: int) -> Any:
    from tqdm import tqdm

    form = "{desc}: {elapsed}{postfix}" if total is None else None
    return tqdm(
        total=total, initial=initial, desc=what, unit=unit or "it", leave=False, file=_Terminal(), bar_format=form
    )
