"""Class folders -> data records: the RecordIO files that `imagenet_rec`, and MXNet's own readers, read."""

import functools
import re
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from mxnet import recordio

from ..utils.errors import UserError
from ..utils.files import atomic_paths, checked_file, write_bytes, write_text
from ..utils.log import get_logger
from ..utils.parallel import map_in_order
from ..utils.printable import printable
from ..utils.progress import each
from .class_lists import read_class_list, train_list_beside
from .decode import decode
from .image_folder import ImageFolder, class_folders
from .image_notes import BadImage, Note, Notes
from .records import LONGEST, RecordFile, framed

QUALITY = 95
_LONGEST = 65_500  # side of a JPEG file
_NOT_IN_A_LIST = re.compile(r"[\t\n\r]")


def pack(
    folder: Path | str, prefix: Path | str, resize: int | None = None, quality: int = QUALITY, workers: int = 0
) -> tuple[int, list[str]]:
    """Write the images of folder/CLASS/ into prefix.rec, .idx and .lst, all of them whole or none.

    Classes are numbered in the order of their names, those of test images (PREFIX val) as in the list of the training
    images beside PREFIX (train.lst).

    Args:
        folder: holds a folder for each class.
        prefix: path of the files without their endings.
        resize: larger images get this shorter side and are encoded again, as JPEG; all others are packed as they are.
        quality: of those JPEG files, from 1 to 100.
        workers: threads that read and resize.

    Returns:
        (number of images packed, one line for each image that cannot be read and was left out).

    Raises:
        UserError: no image can be read, a class has none or is not in the list of the training images, or the files
            cannot be written; all three are as before then.
    """
    folder, prefix = (Path(path).expanduser() for path in (folder, prefix))
    files = ImageFolder(folder, numbers=_numbers(folder, prefix))
    count, make = len(files), functools.partial(_record, files, resize=resize, quality=quality, note=Notes())
    where = printable(str(folder))
    get_logger().info("packing %d images of %s into %s.rec, with %d threads", count, where, prefix, workers)
    targets = [f"{prefix}.{end}" for end in ("rec", "idx", "lst")]
    records = each(map_in_order(make, count, workers), "packing", count, "image")
    with atomic_paths(*targets) as (rec, idx, listing), closing(records):
        index, lines, errors = _write(rec, files, records)
        if not lines:
            raise UserError(f"no image in {folder} can be read: {errors[0]}")
        write_text(idx, "".join(index))
        write_bytes(listing, "".join(lines).encode("utf-8", "surrogateescape"))
        len(RecordFile(rec, idx))  # opens them, with the checks of a reader
    return len(lines), errors


def _write(rec: Path, files: ImageFolder, made: Iterable[bytes | str]) -> tuple[list[str], list[str], list[str]]:
    """(lines of the index, lines of the list, errors); `made` gives each image's record or error in order."""
    index: list[str] = []
    lines: list[str] = []
    errors: list[str] = []
    with checked_file(rec) as file:
        for number, record in enumerate(made):
            if isinstance(record, str):
                errors.append(record)
                continue
            index.append(f"{len(lines)}\t{file.size}\n")
            file.write(framed(record))
            lines.append(f"{len(lines)}\t{files.label(number)}\t{files.path(number)}\n")
    return index, lines, errors


def _numbers(folder: Path, prefix: Path) -> dict[str, int] | None:
    """Class -> number in the list of the training images that lies beside test records; None if there is none."""
    path = train_list_beside(prefix)
    found = read_class_list(path) if path else None
    if found is None:
        return None
    if not found.names:
        get_logger().warning("%s does not name its classes; those of %s are numbered by their names", path, folder)
        return None
    numbers = {name: label for label, name in found.names.items()}
    unknown = [printable(name) for name in class_folders(folder) if name not in numbers]
    if unknown:
        raise UserError(
            f"{folder} has class {', '.join(unknown[:3])}, which the training images in {path} lack: "
            "pack these again first, or choose another folder with option output"
        )
    get_logger().info("classes are numbered as in %s", path)
    return numbers


def _record(files: ImageFolder, number: int, resize: int | None, quality: int, note: Note) -> bytes | str:
    """The bytes of a record, or an error as text."""
    try:
        if _NOT_IN_A_LIST.search(files.path(number)):
            raise BadImage("a list of images has no place for the tab or line break in its name")
        data, label = files.read(number)
        image = decode(data, note)
        if resize and min(image.shape[:2]) > resize:
            data = _encoded(image, resize, quality)
    except (BadImage, OSError) as error:
        return f"{files.name(number)}: {error}"
    record = recordio.pack(recordio.IRHeader(0, label, number, 0), data)
    return record if len(record) < LONGEST else f"{files.name(number)}: it is too long for a record"


def _encoded(image: np.ndarray, shorter: int, quality: int) -> bytes:
    """The image, its shorter side resized to `shorter`, as the bytes of a JPEG file."""
    scale = shorter / min(image.shape[:2])
    height, width = (max(shorter, round(side * scale)) for side in image.shape[:2])
    if max(height, width) > _LONGEST:
        raise BadImage(f"resized it has {width}x{height} pixels, and a JPEG file at most {_LONGEST} a side")
    smaller = cv2.cvtColor(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", smaller, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
