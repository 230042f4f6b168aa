"""What the first bytes of an image file tell: its size before anything is decoded, and its EXIF orientation.

Libraries differ in these. OpenCV loses the orientation behind a damaged EXIF entry and does not look for it in WebP;
Pillow's `exif_transpose` writes all entries anew and fails on odd ones. Here one entry is read and nothing written.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_EXIF = b"Exif\0\0"
_ORIENTATION, _ENTRY = 0x0112, 12
#: integer types of EXIF -> their codes in `struct`
_TYPES = {1: "B", 3: "H", 4: "I"}
#: JPEG markers without a length, and the one before the compressed pixels
_BARE, _SCAN = {0x01, *range(0xD0, 0xD9)}, 0xDA
#: start of a frame: SOF0 to SOF15, among which are three other markers
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
#: frames that are coded from top to bottom, and the marker that tells of restart markers within the pixels
_SEQUENTIAL, _RESTARTS = {0xC0, 0xC1}, 0xDD


class Header(NamedTuple):
    """What stands before the pixels.

    Attributes:
        width: in pixels; 0 where the header is damaged.
        height: in pixels; 0 where the header is damaged.
        orientation: 1 to 8, see `upright`.
        plain: whether it is one image of at most 8 bits per channel without transparency.
        height_at: where the height of a JPEG file stands if all its pixels are coded from top to bottom, without
            restart markers; else 0.
    """

    width: int
    height: int
    orientation: int
    plain: bool
    height_at: int = 0


def jpeg_header(data: bytes) -> Header:
    """The `Header` of a JPEG file."""
    width = height = height_at = 0
    orientation, channels, in_order = 1, b"", True
    for marker, start, end in _jpeg_segments(data):
        if marker in _FRAMES and end - start >= 5:
            height, width = struct.unpack_from(">HH", data, start + 1)
            height_at, channels = start + 1 if marker in _SEQUENTIAL else 0, data[start + 5 : start + 6]
        elif marker == _RESTARTS or (marker == _SCAN and data[start : start + 1] != channels):
            in_order = False
        elif marker == 0xE1 and data.startswith(_EXIF, start):
            orientation = exif_orientation(data[start:end])
    return Header(width, height, orientation, True, height_at if in_order else 0)


def png_header(data: bytes) -> Header:
    """The `Header` of a PNG file."""
    width, height, depth, orientation, plain = 0, 0, 0, 1, True
    for kind, start, end in _png_chunks(data):
        if kind == b"IHDR" and end - start >= 9:
            width, height, depth, color = struct.unpack_from(">IIBB", data, start)
            plain = depth <= 8 and not color & 4  # 4: has an alpha channel
        elif kind in (b"tRNS", b"acTL"):  # transparent colors; an animation
            plain = False
        elif kind == b"eXIf":
            orientation = exif_orientation(data[start:end])
    return Header(width, height, orientation, plain)


def exif_orientation(exif: bytes) -> int:
    """The orientation in EXIF data, 1 (upright) where there is none or the data are damaged."""
    exif = exif.removeprefix(_EXIF)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if not order or len(exif) < 8:
        return 1
    (start,) = struct.unpack_from(f"{order}I", exif, 4)
    count = struct.unpack_from(f"{order}H", exif, start)[0] if start + 2 <= len(exif) else 0
    for place in range(start + 2, min(start + 2 + count * _ENTRY, len(exif) - _ENTRY + 1), _ENTRY):
        tag, kind = struct.unpack_from(f"{order}HH", exif, place)
        if tag == _ORIENTATION:
            (value,) = struct.unpack_from(f"{order}{_TYPES.get(kind, 'B')}", exif, place + 8)
            return value if 1 <= value <= 8 else 1
    return 1


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn and mirror pixels (H, W, ...) as an EXIF orientation says; values outside 2 to 8 leave them as they are.

    From 5 on rows and columns are exchanged. The image is then mirrored left to right for 2, 3, 6 and 7, top to bottom
    for 3, 4, 7 and 8.
    """
    if 5 <= orientation <= 8:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of the segments up to the first pixels; bytes between them are passed over as in libjpeg."""
    place = 2
    while (place := data.find(b"\xff", place)) >= 0 and place + 4 <= len(data):
        marker = data[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
        elif marker == 0 or marker in _BARE:
            place += 2
        else:
            (length,) = struct.unpack_from(">H", data, place + 2)
            yield marker, place + 4, min(place + 2 + length, len(data))
            if marker == _SCAN:
                return
            place += 2 + length


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start, end) of each chunk; an orientation may come after the pixels."""
    place = len(PNG)
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        yield kind, place + 8, min(place + 8 + length, len(data))
        place += 12 + length
