"""Images as users name them: files, folders, patterns such as photos/*.jpg, and - for standard input."""

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..utils.errors import UserError
from ..utils.log import get_logger
from ..utils.paths import expanded
from ..utils.printable import printable
from .image_file import read_pixels
from .image_folder import ENDINGS, images_in, subfolders
from .image_notes import Note, silent

STDIN = "-"
_NAMED = 3  # images that a message names


@dataclass(frozen=True)
class ImageInput:
    """An image that was named.

    Attributes:
        name: its path as it was given, or "stdin".
        data: the bytes of the file, where they came from standard input.
        listed: whether a folder, a pattern or a list has it, so that it may be no image.
    """

    name: str
    data: bytes | None = None
    listed: bool = False


def image_inputs(words: Iterable[str | Path]) -> list[ImageInput]:
    """The images that words name.

    Args:
        words: image files; folders, for all images in them and below; patterns, where no file has the name; - for
            standard input: an image, or the paths of images, one a line.

    Raises:
        UserError: a folder or standard input has no images, or nothing fits a pattern.
    """
    return [image for word in words for image in _named(str(word))]


def read_inputs(inputs: Iterable[ImageInput], note: Note = silent) -> Iterator[tuple[ImageInput, np.ndarray]]:
    """Each image with its pixels, (H, W, 3) uint8 RGB. Those of folders, patterns and lists may be unreadable.

    Args:
        inputs: the images.
        note: is told what is not as in the files, see `decode.decode`.

    Raises:
        UserError: an image that was named itself cannot be read, or none of the others can.
    """
    left_out, read = [], 0
    for one in inputs:
        try:
            pixels = read_pixels(expanded(one.name), note, one.data)
        except UserError as error:
            if not one.listed:
                raise
            left_out.append(str(error))
            continue
        read += 1
        yield one, pixels
    if left_out and not read:
        raise UserError(left_out[0])
    if left_out:
        get_logger().warning("left out %d images: %s", len(left_out), "; ".join(left_out[:_NAMED]))


def _named(word: str) -> list[ImageInput]:
    if word == STDIN:
        return _from_stdin()
    path = expanded(word)
    if os.path.isdir(path):
        found = [str(image) for image in _below(Path(path), set())]
        if not found:
            raise UserError(f"{printable(word)} holds no images ({', '.join(ENDINGS)})")
        return [ImageInput(image, listed=True) for image in found]
    if not os.path.exists(path) and glob.has_magic(path):
        fitting = sorted(filter(os.path.isfile, glob.glob(path, recursive=True)), key=len, reverse=True)
        found = sorted({os.path.realpath(image): image for image in fitting}.values())  # links may lead to one file
        if not found:
            raise UserError(f"no image fits {printable(word)}")
        return [ImageInput(image, listed=True) for image in found]
    return [ImageInput(word)]


def _below(folder: Path, seen: set[str]) -> Iterator[Path]:
    """The images in a folder and in those below it, which links may lead back to."""
    real = os.path.realpath(folder)
    if real in seen:
        return
    seen.add(real)
    yield from (folder / name for name in images_in(folder)[0])
    for name in subfolders(folder):
        yield from _below(folder / name, seen)


def _from_stdin() -> list[ImageInput]:
    """An image, or the images whose paths come one a line: text has no null bytes, image files have."""
    try:
        data = b"" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.buffer.read()
    except (OSError, ValueError) as error:  # closed, or no file
        raise UserError(f"standard input cannot be read: {error}") from None
    if not data.strip():
        raise UserError("nothing comes from standard input: pipe an image into it, or the paths of images, one a line")
    try:
        lines = None if b"\0" in data else data.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        lines = None
    if lines is None:
        return [ImageInput("stdin", data)]
    return [ImageInput(line.strip(), listed=True) for line in lines if line.strip()]
