"""One logger for the whole package: plain lines on stderr, and in the run folder's log.txt."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

from .errors import UserError

_NAME = "gluon_attn"


def get_logger() -> logging.Logger:
    """The logger of the package. Library users configure it as any other; commands call `to_terminal`."""
    return logging.getLogger(_NAME)


def to_terminal(level: int = logging.INFO) -> None:
    """Send messages of at least `level` (default INFO) to stderr; commands call it once."""
    logger = get_logger()
    if not any(isinstance(handler, _TerminalHandler) for handler in logger.handlers):
        handler = _TerminalHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
    logger.setLevel(level)


def to_file(path: Path | str) -> logging.Handler:
    """Append messages with their time to a file.

    Args:
        path: the file.

    Returns:
        The handler, to be closed with `close`.

    Raises:
        UserError: it cannot be written.
    """
    try:
        handler = _File(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UserError(f"cannot write the log {path}: {error.strerror}") from None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    get_logger().addHandler(handler)
    return handler


def close(handler: logging.Handler) -> None:
    """Detach and close a handler of `to_file`."""
    get_logger().removeHandler(handler)
    handler.close()


@contextlib.contextmanager
def without_root_messages() -> Iterator[None]:
    """Drop what is written to Python's root logger, as MXNet does; messages of other loggers stay.

    `logging.warning` and the like would also leave a handler behind that prints every later message again.
    """

    def drop(record: logging.LogRecord) -> bool:
        return False

    handler = logging.NullHandler()  # with one there, none is added
    logging.root.addFilter(drop)
    logging.root.addHandler(handler)
    try:
        yield
    finally:
        logging.root.removeHandler(handler)
        logging.root.removeFilter(drop)


class _File(logging.FileHandler):
    """Warns once where the disk is full; what fits is written later, and the run goes on."""

    _warned = False

    def handleError(self, record: logging.LogRecord) -> None:
        """One line on the terminal, in place of a traceback for each message."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._warned:
            self._warned = True
            get_logger().warning("cannot write %s: %s; it lacks what follows", self.baseFilename, error.strerror)

    def close(self) -> None:
        """Close the file, whatever does not fit on the disk."""
        with contextlib.suppress(OSError):
            super().close()


class _TerminalHandler(logging.Handler):
    """Writes through tqdm, so that a progress bar in the last line stays intact."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm

        tqdm.write(self.format(record), file=sys.stderr)
