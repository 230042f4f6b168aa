"""Names of files as text that every terminal, log, page and picture takes."""

import re
from pathlib import Path

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def printable(name: str) -> str:
    r"""A name without what cannot be printed.

    File names are bytes. Python gives those that are not UTF-8 as lone surrogates, which neither a terminal nor a UTF-8
    file takes.

    Args:
        name: as `os` gives it.

    Returns:
        The name with bytes that are not UTF-8, and control characters, as \xNN.
    """
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def is_utf8(path: Path | str) -> bool:
    """Whether all bytes of a path are UTF-8, as libraries need that open files by their names."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
