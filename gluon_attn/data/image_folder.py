"""JPEG and PNG files in a folder for each class."""

import functools
import os
from collections.abc import Callable
from pathlib import Path

from ..utils.errors import UserError

ENDINGS = (".jpg", ".jpeg", ".png")


class ImageFolder:
    """The images in folder/CLASS/, sorted by class and file name; the disk is read at the first use.

    Args:
        folder: holds a folder for each class.
        class_names: the classes that it must have (default: those it has).
    """

    def __init__(self, folder: Path, class_names: tuple[str, ...] | None = None) -> None:
        self._folder, self._class_names = folder, class_names

    def __len__(self) -> int:
        return len(self._paths_and_labels)

    def name(self, number: int) -> str:
        """The path of image `number`, for messages."""
        return str(self._folder / self.path(number))

    def path(self, number: int) -> str:
        """CLASS/NAME of image `number`."""
        return self._paths_and_labels[number][0]

    def label(self, number: int) -> int:
        """Class index of image `number`."""
        return self._paths_and_labels[number][1]

    def read(self, number: int) -> tuple[bytes, int]:
        """(bytes of the file, label) of image `number`; raises `OSError` when it cannot be read."""
        return Path(self.name(number)).read_bytes(), self.label(number)

    @functools.cached_property
    def _paths_and_labels(self) -> list[tuple[str, int]]:
        names = class_folders(self._folder)
        if self._class_names is not None and names != self._class_names:
            odd = sorted(set(names) ^ set(self._class_names))
            raise UserError(f"{self._folder} and its neighbor hold other classes: {', '.join(odd[:3])} is in one only")
        images = [
            (f"{name}/{file}", label)
            for label, name in enumerate(names)
            for file in _sorted_entries(self._folder / name, os.DirEntry.is_file)
            if file.lower().endswith(ENDINGS)
        ]
        if not images:
            raise UserError(f"{self._folder} holds no images: expected {self._folder}/CLASS/NAME.jpg (or .jpeg, .png)")
        return images


def class_folders(folder: Path) -> tuple[str, ...]:
    """The names of the folders in a folder, sorted.

    Args:
        folder: holds a folder for each class.

    Raises:
        UserError: there are none, or `folder` cannot be read.
    """
    names = _sorted_entries(folder, os.DirEntry.is_dir)
    if not names:
        raise UserError(f"{folder} holds no class folders: expected {folder}/CLASS/NAME.jpg")
    return tuple(names)


def _sorted_entries(folder: Path, wanted: Callable[[os.DirEntry[str]], bool]) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if wanted(entry) and not entry.name.startswith("."))
    except OSError as error:
        raise UserError(f"cannot read {folder}: {error.strerror}; name the folder with the images") from None
