"""One logger for the whole package: plain lines on stderr, and in the run folder's log.txt."""

import logging
import sys

_NAME = "gluon_attn"


def get_logger():
    """The package's logger. Library users configure it as any other; commands call `to_terminal`."""
    return logging.getLogger(_NAME)


def to_terminal(level=logging.INFO):
    """Send messages to stderr; called once by commands."""
    logger = get_logger()
    if not any(getattr(handler, "gluon_attn_terminal", False) for handler in logger.handlers):
        handler = _TerminalHandler()
        handler.gluon_attn_terminal = True
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
    logger.setLevel(level)


def to_file(path):
    """Append messages with their time to `path`; returns the handler, which the caller closes with `close`."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    get_logger().addHandler(handler)
    return handler


def close(handler):
    """Detach and close a handler made by `to_file`."""
    get_logger().removeHandler(handler)
    handler.close()


class _TerminalHandler(logging.Handler):
    """Writes through tqdm, so that a progress bar on the last line stays whole."""

    def emit(self, record):
        from tqdm import tqdm

        tqdm.write(self.format(record), file=sys.stderr)
