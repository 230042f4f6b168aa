"""Lists of image files with their classes: CSV files (path,label) and the .lst files of im2rec and GluonCV."""

import contextlib
import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..utils.errors import UserError
from ..utils.log import get_logger
from ..utils.printable import printable
from .image_folder import ENDINGS

#: of the names of lists
LIST_ENDINGS = (".csv", ".lst")
#: what the columns of a CSV file may be called
_PATHS = ("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "img", "id", "name")
_LABELS = ("label", "class", "class_name", "classname", "target", "category", "y", "species", "breed")
_EXPECTED = "expected lines of path,label (CSV), or of number, label and path with tabs between (.lst)"
_TRIED = 20  # images that are looked for, to find out which folder the paths start from
_NAMED = 3  # things that a message names


@dataclass(frozen=True)
class Listing:
    """What a list says.

    Attributes:
        path: the list.
        folder: the folder that its paths start from.
        rows: path -> label, as in the list; numbers without decimals.
    """

    path: Path
    folder: Path
    rows: dict[str, str]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The labels in the order of their numbers, or of their names."""
        labels = set(self.rows.values())
        return tuple(sorted(labels, key=int if all(map(_is_number, labels)) else str))

    def shown_names(self) -> tuple[str, ...]:
        """The names of the classes: the labels, or where these are numbers and each has a folder, the folders."""
        names = self.class_names
        pairs = {(label, Path(file).parent.name) for file, label in self.rows.items()}
        folders = dict(pairs)
        one_each = len(pairs) == len(names) == len(set(folders.values())) and all(folders.values())
        by_folder = one_each and all(map(_is_number, names))
        return tuple(printable(folders[name] if by_folder else name) for name in names)


class ImageList:
    """The images of a list, in its order; see `photos.EncodedImages`.

    Args:
        listing: the list.
        class_names: the labels in the order of their indices (default: those of the list).

    Raises:
        UserError: the list has a label that is none of these.
    """

    def __init__(self, listing: Listing, class_names: Sequence[str] | None = None) -> None:
        numbers = {name: number for number, name in enumerate(class_names or listing.class_names)}
        unknown = next((label for label in listing.rows.values() if label not in numbers), None)
        if unknown is not None:
            raise UserError(f"{listing.path} has class {printable(unknown)}, which the training images have not")
        self.listing = listing
        self._rows = [(file, numbers[label]) for file, label in listing.rows.items()]

    def __len__(self) -> int:
        return len(self._rows)

    def name(self, number: int) -> str:
        """The path of image `number`, for messages."""
        return printable(str(self.listing.folder / self._rows[number][0]))

    def label(self, number: int) -> int:
        """Class index of image `number`."""
        return self._rows[number][1]

    def read(self, number: int) -> tuple[bytes, int]:
        """(bytes of the file, label) of image `number`; raises `OSError` when it cannot be read."""
        file, label = self._rows[number]
        return (self.listing.folder / file).read_bytes(), label


def read_listing(path: Path) -> Listing:
    """Read a list of image files.

    Paths start from the folder of the list, or from the folder beside it that has its name (train/ beside train.lst).

    Args:
        path: a .csv or .lst file.

    Raises:
        UserError: it cannot be read, is no such list, names no images, or gives one image two classes.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; name the list of the images") from None
    pairs = list(_lst_pairs(path, text) if path.suffix == ".lst" else _csv_pairs(path, text))
    if not pairs:
        raise UserError(f"{path} names no images: {_EXPECTED}")
    rows: dict[str, str] = {}
    for file, label in pairs:
        if rows.setdefault(file, label) != label:
            raise UserError(f"{path} gives {printable(file)} two classes, {rows[file]} and {label}: leave one out")
    if len(rows) < len(pairs):
        get_logger().warning("%s names %d images more than once: they count once", path, len(pairs) - len(rows))
    if all(_number(label) is not None for label in rows.values()):
        rows = {file: str(_number(label)) for file, label in rows.items()}
    return Listing(path, _base(path, rows), rows)


def check_apart(train: Listing, val: Listing) -> None:
    """Warn of images that two lists share."""
    own = {train.folder / file for file in train.rows}
    shared = [file for file in val.rows if val.folder / file in own]
    if shared:
        text = "%d of the %d test images in %s are training images, too, such as %s"
        get_logger().warning(text, len(shared), len(val.rows), val.path, printable(shared[0]))


def _csv_pairs(path: Path, text: str) -> Iterable[tuple[str, str]]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines(), delimiter=delimiter) if any(row)]
    columns = _columns(path, rows[0]) if rows else None
    for number, row in enumerate(rows[1:] if columns else rows, 1 + bool(columns)):
        file, label = columns or (0, 1)
        if len(row) <= max(file, label) or not row[file] or not row[label]:
            raise UserError(f"{path}, line {number}: {_EXPECTED}, got {printable(delimiter.join(row))!r}")
        yield row[file], row[label]


def _columns(path: Path, head: Sequence[str]) -> tuple[int, int] | None:
    """Which columns hold path and label, where the first row names them; None where it is an image."""
    if any(cell.lower().endswith(ENDINGS) for cell in head):
        return None
    words = [cell.lower() for cell in head]
    found = [next((words.index(name) for name in known if name in words), None) for known in (_PATHS, _LABELS)]
    if None not in found:
        return found[0], found[1]  # type: ignore[return-value]
    if len(head) == 2:
        return 0, 1
    raise UserError(f"{path} has columns {', '.join(map(printable, head))}: call two of them path and label")


def _lst_pairs(path: Path, text: str) -> Iterable[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        row = line.split("\t")
        if not line.strip():
            continue
        if len(row) > 3:
            raise UserError(f"{path}, line {number}: an image has {len(row) - 2} labels, here it has one class")
        if len(row) < 3 or _number(row[1]) is None:
            raise UserError(f"{path}, line {number}: {_EXPECTED}, got {printable(line)!r}")
        yield row[2], row[1]


def _number(label: str) -> int | None:
    """A label that is a whole number, also as 3.000000; else None."""
    with contextlib.suppress(ValueError, OverflowError):
        if float(label).is_integer():
            return int(float(label))
    return None


def _is_number(label: str) -> bool:
    return _number(label) is not None


def _base(path: Path, rows: Iterable[str]) -> Path:
    """The folder that the paths of a list start from."""
    tried = list(rows)[:_TRIED]
    folders = (path.parent, path.with_suffix(""))
    for folder in folders:
        if any((folder / file).is_file() for file in tried):
            return folder
    places = " nor in ".join(map(str, folders))
    raise UserError(f"{path} names {printable(tried[0])}, which is neither in {places}: put the list beside the images")
