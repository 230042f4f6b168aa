"""Class folders -> data records: the RecordIO files that `imagenet_rec`, and MXNet's own readers, read."""

import contextlib
import functools
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from mxnet import recordio
from tqdm import tqdm

from ..utils.errors import UserError
from ..utils.files import atomic_paths, checked_file, write_bytes, write_text
from ..utils.parallel import map_in_order
from .image_folder import ImageFolder
from .photos import BadImage, decode
from .records import LONGEST, RecordFile, framed

QUALITY = 95


def pack(
    folder: Path | str, prefix: Path | str, resize: int | None = None, quality: int = QUALITY, workers: int = 0
) -> tuple[int, list[str]]:
    """Write the images of folder/CLASS/ into prefix.rec, .idx and .lst, all of them whole or none.

    Args:
        folder: holds a folder for each class.
        prefix: path of the files without their endings.
        resize: larger images get this shorter side and are encoded again, as JPEG; all others are packed as they are.
        quality: of those JPEG files, from 1 to 100.
        workers: threads that read and resize.

    Returns:
        (number of images packed, one line for each image that cannot be read and was left out).

    Raises:
        UserError: no image can be read, or the files cannot be written; all three are as before then.
    """
    files = ImageFolder(Path(folder))
    count, make = len(files), functools.partial(_record, files, resize=resize, quality=quality)
    targets = [f"{prefix}.{end}" for end in ("rec", "idx", "lst")]
    with atomic_paths(*targets) as (rec, idx, listing), contextlib.closing(map_in_order(make, count, workers)) as made:
        progress = tqdm(made, total=count, unit="image", disable=None)  # None: off where stderr is no terminal
        index, lines, errors = _write(rec, files, progress)
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


def _record(files: ImageFolder, number: int, resize: int | None, quality: int) -> bytes | str:
    """The bytes of a record, or an error as text."""
    try:
        data, label = files.read(number)
        image = decode(data)
    except (BadImage, OSError) as error:
        return f"{files.name(number)}: {error}"
    if resize and min(image.shape[:2]) > resize:
        data = _encoded(image, resize, quality)
    record = recordio.pack(recordio.IRHeader(0, label, number, 0), data)
    return record if len(record) < LONGEST else f"{files.name(number)}: it is too long for a record"


def _encoded(image: np.ndarray, shorter: int, quality: int) -> bytes:
    """The image, its shorter side resized to `shorter`, as the bytes of a JPEG file."""
    scale = shorter / min(image.shape[:2])
    height, width = (max(shorter, round(side * scale)) for side in image.shape[:2])
    smaller = cv2.cvtColor(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", smaller, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
