"""What is said of single images: that one cannot be read, or that it is not read as it stands in its file."""

from collections.abc import Callable

from ..utils.log import get_logger

#: takes a sentence about how images are read; says it, or not
Note = Callable[[str], None]


class BadImage(Exception):
    """An image that cannot be read; the message is the reason."""


class Notes:
    """A `Note` that logs each sentence once, however many images it holds for."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def __call__(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            get_logger().warning("%s", sentence)


def silent(sentence: str) -> None:
    """A `Note` that says nothing."""
