"""Data records: RecordIO files (.rec with .idx), read at any offset by any thread.

MXNet's reader has one position per file, so threads would wait for each other; `os.pread` has none. A record is the
magic number, a word (3 bits: which part; 29 bits: length), the data, padding to 4 bytes. `mx.recordio` splits data that
holds the magic number there into parts when it writes.
"""

import functools
import os
import struct
import weakref
from pathlib import Path

import numpy as np
from mxnet import recordio

from ..utils.errors import UserError
from .image_notes import BadImage

_MAGIC = struct.pack("<I", 0xCED7230A)
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)
LONGEST = 1 << 29  # bytes in a record
#: the start of a record: magic number, part and length, number of further labels, label
_HEAD = struct.Struct("<4sIIf")
_REPAIR = "pack the images again with gluon-attn data pack"


def framed(data: bytes) -> bytes:
    """A record in the bytes of `mx.recordio`, which does not notice that a disk is full.

    Args:
        data: shorter than `LONGEST`.
    """
    parts, start, at = [], 0, data.find(_MAGIC)
    while at >= 0:
        if at % 4 == 0:  # where a reader would take it for the next record
            parts.append(data[start:at])
            start = at + 4
        at = data.find(_MAGIC, max(start, at + 1))
    parts.append(data[start:])
    kinds = [_WHOLE] if len(parts) == 1 else [_FIRST, *[_MIDDLE] * (len(parts) - 2), _LAST]
    return b"".join(
        _MAGIC + struct.pack("<I", kind << 29 | len(part)) + part + bytes(-len(part) % 4)
        for kind, part in zip(kinds, parts, strict=True)
    )


class RecordFile:
    """The records of a .rec file in the order of its .idx file.

    At the first use the file is opened and compared with its index: a `UserError` if one is missing or they do not
    belong together.

    Args:
        path: the .rec file.
        index_path: its index (default: the .idx file next to it).
        advice: what to do where the .rec file cannot be read.
    """

    def __init__(
        self, path: Path | str, index_path: Path | str | None = None, advice: str = "name the .rec file"
    ) -> None:
        self._advice = advice
        self.path = Path(path).expanduser()
        self.index_path = Path(index_path).expanduser() if index_path else self.path.with_suffix(".idx")

    def __len__(self) -> int:
        return len(self._keys_and_offsets[0])

    def name(self, number: int) -> str:
        """The path and the key of record `number`, for messages."""
        return f"{self.path} record {self._keys_and_offsets[0][number]}"

    def read(self, number: int) -> tuple[bytes, int]:
        """(bytes of the image file, label) of record `number`; raises `BadImage` when it is broken."""
        data = self._record(int(self._keys_and_offsets[1][number]))[0]
        try:
            header, image = recordio.unpack(data)
        except (struct.error, ValueError):
            raise BadImage("the record has no header") from None
        label = np.ravel(header.label)
        if len(label) != 1 or not float(label[0]).is_integer() or label[0] < 0:
            raise BadImage(f"its label is not a class index: {label.tolist()}")
        return image, int(label[0])

    def label(self, number: int) -> int:
        """Class index of record `number`; the image is not read if the record has one part and one label."""
        head = os.pread(self._file, _HEAD.size, int(self._keys_and_offsets[1][number]))
        if len(head) == _HEAD.size:
            magic, word, labels, label = _HEAD.unpack(head)
            if magic == _MAGIC and word >> 29 == _WHOLE and labels == 0 and label >= 0 and label.is_integer():
                return int(label)
        return self.read(number)[1]

    def _record(self, offset: int) -> tuple[bytes, int]:
        """(data, offset after it) of the record at `offset`."""
        parts: list[bytes] = []
        kind = _WHOLE
        while kind not in (_WHOLE, _LAST) or not parts:
            head = os.pread(self._file, 8, offset)
            if len(head) < 8 or head[:4] != _MAGIC:
                raise BadImage(f"no record begins at byte {offset}")
            word = struct.unpack("<I", head[4:])[0]
            kind, length = word >> 29, word & (1 << 29) - 1
            if (kind in (_WHOLE, _FIRST)) != (not parts) or kind > _LAST:
                raise BadImage(f"the parts of the record at byte {offset} are out of order")
            parts.append(os.pread(self._file, length, offset + 8))
            if len(parts[-1]) < length:
                raise BadImage(f"the file ends within the record at byte {offset}")
            offset += 8 + -(-length // 4) * 4
        return _MAGIC.join(parts), offset

    @functools.cached_property
    def _file(self) -> int:
        """File descriptor of the .rec file."""
        try:
            file = os.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise UserError(f"cannot read {self.path}: {error.strerror}; {self._advice}") from None
        weakref.finalize(self, os.close, file)
        return file

    @functools.cached_property
    def _keys_and_offsets(self) -> tuple[list[int], np.ndarray]:
        """(keys, offsets) in the order of the index."""
        size = os.fstat(self._file).st_size
        try:
            rows = [line.split("\t") for line in self.index_path.read_text(encoding="ascii").splitlines()]
            keys, offsets = ([int(row[column]) for row in rows] for column in (0, 1))
        except OSError as error:
            raise UserError(f"cannot read {self.index_path}: {error.strerror}; {_REPAIR}") from None
        except (ValueError, IndexError):
            raise UserError(f"{self.index_path} is not an index of records: {_REPAIR}") from None
        if not keys:
            raise UserError(f"{self.index_path} is empty: {_REPAIR}")
        if len(set(keys)) < len(keys) or len(set(offsets)) < len(offsets):
            raise UserError(f"{self.index_path} names a record twice: {_REPAIR}")
        self._check_ends(min(offsets), max(offsets), size)
        return keys, np.array(offsets, np.int64)

    def _check_ends(self, first: int, last: int, size: int) -> None:
        """The first record starts the file, the last one ends it: else files were mixed up or truncated."""
        try:
            end = self._record(last)[1] if last < size else last
        except BadImage as error:
            raise UserError(f"{self.index_path} does not fit {self.path} ({error}): {_REPAIR}") from None
        if last >= size or end > size:
            raise UserError(
                f"{self.path} is cut off, or {self.index_path} belongs to another file: its last record begins at byte "
                f"{last}, the file ends at {size}; {_REPAIR}"
            )
        if first or end < size:
            raise UserError(f"{self.index_path} does not name all records of {self.path}: {_REPAIR}")
