"""Class folders -> the RecordIO files that `imagenet_rec`, and MXNet's own readers, read."""

import contextlib
import functools
from pathlib import Path

import cv2
from mxnet import MXNetError, recordio
from tqdm import tqdm

from ..utils.errors import UserError
from ..utils.files import atomic_path
from .imagenet_folder import ImageFiles
from .loader import map_in_order
from .photos import BadImage, decode
from .records import RecordFile

QUALITY = 95


def pack(folder, prefix, resize=None, quality=QUALITY, workers=0):
    """Write the images of folder/CLASS/ into prefix.rec, .idx and .lst; returns (images packed, complaints).

    resize: the shorter side of larger images becomes that; they are encoded anew, as JPEG of `quality` from 1 to 100.
    All others are packed as they are. An image that cannot be read is left out, with a complaint that names it. Each
    file is written whole or not at all; `UserError` when nothing can be packed.
    """
    files = ImageFiles(Path(folder))
    count, make = len(files), functools.partial(_record, files, resize=resize, quality=quality)
    with contextlib.ExitStack() as stack:
        rec, idx, listing = (stack.enter_context(atomic_path(f"{prefix}.{end}")) for end in ("rec", "idx", "lst"))
        made = stack.enter_context(contextlib.closing(map_in_order(make, count, workers)))
        progress = tqdm(made, total=count, unit="image", disable=None)  # None: where it is no terminal
        try:
            lines, complaints = _write(rec, idx, files, progress)
        except MXNetError as error:
            reason = str(error).splitlines()[-1]
            raise UserError(f"cannot write {prefix}.rec: {reason}; nothing was left there") from None
        if not lines:
            raise UserError(f"no image in {folder} can be read: {complaints[0]}")
        if not _whole(rec, idx, len(lines)):
            raise UserError(f"{prefix}.rec could not be written whole; is the disk full?")
        listing.write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
    return len(lines), complaints


def _write(rec, idx, files, made):
    """(lines of the list, complaints); `made` gives each image's record or complaint in order."""
    lines, complaints = [], []
    writer = recordio.MXIndexedRecordIO(str(idx), str(rec), "w")
    try:
        for number, record in enumerate(made):
            if isinstance(record, str):
                complaints.append(record)
                continue
            writer.write_idx(len(lines), record)
            lines.append(f"{len(lines)}\t{files.label(number)}\t{files.path(number)}\n")
    finally:
        writer.close()
    return lines, complaints


def _whole(rec, idx, count):
    """MXNet does not tell when the last bytes do not fit on the disk."""
    try:
        return len(RecordFile(rec, idx)) == count
    except UserError:
        return False


def _record(files, number, resize, quality):
    """The bytes of a record, or a complaint as text."""
    try:
        data, label = files.read(number)
        image = decode(data)
    except (BadImage, OSError) as error:
        return f"{files.name(number)}: {error}"
    if resize and min(image.shape[:2]) > resize:
        data = _encoded(image, resize, quality)
    return recordio.pack(recordio.IRHeader(0, label, number, 0), data)


def _encoded(image, shorter, quality):
    """`image`, its shorter side scaled to `shorter`, as the bytes of a JPEG file."""
    scale = shorter / min(image.shape[:2])
    height, width = (max(shorter, round(side * scale)) for side in image.shape[:2])
    smaller = cv2.cvtColor(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", smaller, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
