"""Image files in a folder for each class."""

import functools
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ..utils.errors import UserError
from ..utils.log import get_logger
from ..utils.printable import printable

#: of the formats that `decode` is tested with
ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif")
#: folders that archivers, storage devices and file systems leave, as they do hidden ones
_JUNK = {"__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information"}
_NAMED = 3  # kinds of files that a message counts one by one
_EXPECTED = "CLASS/NAME.jpg (or {})".format(", ".join(ENDINGS[1:]))


class ImageFolder:
    """The images in folder/CLASS/, sorted by class and file name; the disk is read at the first use.

    Args:
        folder: holds a folder for each class.
        class_names: the classes that it must have (default: those it has).
        numbers: class -> its number (default: in the order of the names).
    """

    def __init__(
        self, folder: Path, class_names: tuple[str, ...] | None = None, numbers: Mapping[str, int] | None = None
    ) -> None:
        self._folder, self._class_names, self._numbers = folder, class_names, numbers

    def __len__(self) -> int:
        return len(self._paths_and_labels)

    def name(self, number: int) -> str:
        """The path of image `number`, for messages."""
        return printable(str(self._folder / self.path(number)))

    def path(self, number: int) -> str:
        """CLASS/NAME of image `number`."""
        return self._paths_and_labels[number][0]

    def label(self, number: int) -> int:
        """Class index of image `number`."""
        return self._paths_and_labels[number][1]

    def read(self, number: int) -> tuple[bytes, int]:
        """(bytes of the file, label) of image `number`; raises `OSError` when it cannot be read."""
        return (self._folder / self.path(number)).read_bytes(), self.label(number)

    @functools.cached_property
    def _paths_and_labels(self) -> list[tuple[str, int]]:
        names = class_folders(self._folder)
        if self._class_names is not None and names != self._class_names:
            odd = sorted(map(printable, set(names) ^ set(self._class_names)))
            raise UserError(f"{self._folder} and its neighbor hold other classes: {', '.join(odd[:3])} is in one only")
        found = {name: images_in(self._folder / name) for name in names}
        self._check_empty(found)
        passed = sum((others for _, others in found.values()), Counter(_others_beside_classes(self._folder)))
        if passed:
            text = "%s: %s passed over, as images are %s"
            get_logger().warning(text, printable(str(self._folder)), _counted(passed), _EXPECTED)
        numbers = self._numbers or {name: number for number, name in enumerate(names)}
        return [(f"{name}/{file}", numbers[name]) for name, (files, _) in found.items() for file in files]

    def _check_empty(self, found: Mapping[str, tuple[list[str], "Counter[str]"]]) -> None:
        """A class without images is a mistake: it would be learned from nothing, or never tested."""
        empty = [name for name, (files, _) in found.items() if not files]
        if not empty:
            return
        first, remedy = empty[0], "add images, or remove the class from the training and the test set"
        held = f"holds {_counted(found[first][1]) or 'nothing'}"
        deeper = deeper_image(self._folder / first)
        if deeper:
            held += f" and images one folder deeper, such as {printable(f'{first}/{deeper}')}"
            remedy = "move them up"
        if len(empty) == len(found):
            expected = f"expected {self._folder}/{_EXPECTED}"
            if deeper:
                held += f"; the classes are one folder further down: {_name_or_move(self._folder, found)}"
            raise UserError(f"{self._folder} holds no images: {expected}; class {printable(first)} {held}")
        others = f"; {len(empty) - 1} more classes have none either" if len(empty) > 1 else ""
        known = ", ".join(ENDINGS)
        raise UserError(
            f"class {printable(first)} of {self._folder} has no images ({known}): it {held}{others}; {remedy}"
        )


def class_folders(folder: Path) -> tuple[str, ...]:
    """The names of the folders in a folder, sorted, without hidden ones and those that archivers leave.

    Args:
        folder: holds a folder for each class.

    Raises:
        UserError: there are none, or `folder` cannot be read.
    """
    names = subfolders(folder)
    if not names:
        raise UserError(f"{folder} holds no class folders: expected {folder}/{_EXPECTED}")
    return names


def subfolders(folder: Path) -> tuple[str, ...]:
    """As `class_folders`; none where there are none."""
    return tuple(sorted(entry.name for entry in _entries(folder) if _holds(entry.is_dir)))


def images_in(folder: Path) -> tuple[list[str], "Counter[str]"]:
    """(sorted names of the images in a folder, how many of each other kind there are)."""
    images: list[str] = []
    others: Counter[str] = Counter()
    for entry in _entries(folder):
        if entry.name.lower().endswith(ENDINGS) and _holds(entry.is_file):
            images.append(entry.name)
        else:
            others[_kind(entry)] += 1
    return sorted(images), others


def _others_beside_classes(folder: Path) -> Iterable[str]:
    return [_kind(entry) for entry in _entries(folder) if not _holds(entry.is_dir)]


def _name_or_move(folder: Path, groups: Iterable[str]) -> str:
    """What to do about folder/GROUP/CLASS/."""
    (first, *others) = groups
    return "move them up" if others else f"name {printable(str(folder / first))}, or move them up"


def deeper_image(folder: Path) -> str | None:
    """SUBFOLDER/NAME of an image below a class folder, or None."""
    for entry in sorted(_entries(folder), key=lambda entry: entry.name):
        if _holds(entry.is_dir):
            images, _ = images_in(folder / entry.name)
            if images:
                return f"{entry.name}/{images[0]}"
    return None


def _kind(entry: "os.DirEntry[str]") -> str:
    if _holds(entry.is_dir):
        return "folder"
    if entry.is_symlink() and not _holds(entry.is_file):
        return "dangling link"
    ending = os.path.splitext(entry.name)[1].lower()
    return f"{printable(ending)} file" if ending else "file without an ending"


def _counted(kinds: "Counter[str]") -> str:
    """As "12 .txt files, 2 folders, 1 other", the most frequent kinds first."""
    common = kinds.most_common(_NAMED)
    words = [f"{count} {kind if count == 1 else _plural(kind)}" for kind, count in common]
    rest = kinds.total() - sum(count for _, count in common)
    return ", ".join([*words, f"{rest} other"] if rest else words)


def _plural(kind: str) -> str:
    return kind.replace("file", "files", 1) if "file" in kind else f"{kind}s"


def _holds(check: Callable[[], bool]) -> bool:
    """The answer of an entry's check; False where a link leads nowhere or in a circle."""
    try:
        return check()
    except OSError:
        return False


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".") and entry.name not in _JUNK]
    except OSError as error:
        raise UserError(f"cannot read {folder}: {error.strerror}; name the folder with the images") from None
