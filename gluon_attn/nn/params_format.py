"""The form of MXNet's parameter files, checked before MXNet reads one.

MXNet believes every number in a file: where a damaged one says that there are 2^40 tensors, it makes room for them. A
file is read only if its parts fill it to the last byte.
"""

import math
import os
import struct
from pathlib import Path
from typing import BinaryIO

#: first number of a parameter file
MAGIC = 0x112
#: first number of a tensor: since MXNet 1.0 (two, which differ in shapes of unknown size), and before; the oldest have
#: the number of axes there
_TENSOR, _OLD_TENSOR = (0xF993FAC9, 0xF993FACA), 0xF993FAC8
_DENSE, _SPARSE = 0, (1, 2)
#: number of a dtype -> bytes of a value: float32, float64, float16, uint8, int32, int8, int64, bool, bfloat16
_SIZES = {0: 4, 1: 8, 2: 2, 3: 1, 4: 4, 5: 1, 6: 8, 7: 1, 12: 2}
_MOST_AXES, _LONGEST_NAME = 32, 10_000


class _Broken(Exception):
    """The file has another form than it should."""


def is_whole(path: Path | str) -> bool:
    """Whether a file has the form of a parameter file, without reading its numbers.

    Args:
        path: the file. The form of sparse tensors is not known here and counts as whole: MXNet has to read it.
    """
    try:
        with open(path, "rb") as file:
            return _walk(file, os.fstat(file.fileno()).st_size)
    except (_Broken, struct.error):
        return False


def _walk(file, size):
    magic, reserved, count = _numbers(file, "<QQQ")
    if magic != MAGIC or reserved or count > size:
        return False
    for _ in range(count):
        if not _pass_tensor(file, size):
            return True
    (names,) = _numbers(file, "<Q")
    if names not in (0, count):
        return False
    for _ in range(names):
        (length,) = _numbers(file, "<Q")
        if length > _LONGEST_NAME or len(file.read(length)) < length:
            return False
    return file.tell() == size


def _pass_tensor(file: BinaryIO, size: int) -> bool:
    """Go to the end of a tensor; False if it has a form that is not known here."""
    (magic,) = _numbers(file, "<I")
    if magic in _TENSOR:
        (kind,) = _numbers(file, "<i")
        if kind in _SPARSE:
            return False
        if kind != _DENSE:
            raise _Broken
    (axes,) = _numbers(file, "<i") if magic in (*_TENSOR, _OLD_TENSOR) else (magic,)
    if not 0 <= axes <= _MOST_AXES:
        raise _Broken
    if axes == 0 and magic != _TENSOR[1]:  # an array that was never made
        return True
    shape = _numbers(file, f"<{axes}{'I' if magic == axes else 'q'}")
    _, _, dtype = _numbers(file, "<iii")
    if min(shape, default=0) < 0 or dtype not in _SIZES:
        raise _Broken
    length = math.prod(shape) * _SIZES[dtype]
    if length > size - file.tell():
        raise _Broken
    file.seek(length, os.SEEK_CUR)
    return True


def _numbers(file, form):
    return struct.unpack(form, file.read(struct.calcsize(form)))
