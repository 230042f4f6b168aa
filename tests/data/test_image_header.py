"""The orientation in EXIF data, whatever else stands there."""

import struct

import numpy as np
import pytest
from image_files import PIXELS, encoded
from PIL import Image

from gluon_attn.data.decode import decode
from gluon_attn.data.image_header import exif_orientation, jpeg_header, png_header, upright

ORIENTATION, LAST = 0x0112, b"\xff\xff\xff\x7f"


def exif(entries, order="<"):
    """EXIF data with entries (tag, type, count, bytes of the value or of its offset)."""
    head = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8)
    rows = [struct.pack(f"{order}HHI", *entry[:3]) + entry[3].ljust(4, b"\0") for entry in entries]
    return b"Exif\0\0" + head + struct.pack(f"{order}H", len(rows)) + b"".join(rows) + bytes(4)


def turned(order):
    return (ORIENTATION, 3, 1, struct.pack(f"{order}H", 6))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    "other",
    [
        [],
        [(0x011A, 10, 1, struct.pack("<I", 38))],  # a signed rational, -1/0 in some cameras
        [(0x011A, 2, 3, b"72")],  # a resolution as text
        [(0x010E, 2, 100, LAST)],  # a text beyond the end
        [(0x010F, 2, 0xFFFFFFFF, b"\x10")],
        [(0x8769, 4, 1, LAST)],
        [(0xFFFF, 99, 5, LAST)],
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_other_entries_do_not_matter(order, other, first):
    entries = [turned(order), *other] if first else [*other, turned(order)]
    data = exif(entries, order)
    assert exif_orientation(data) == exif_orientation(data[6:]) == 6
    want = np.rot90(PIXELS, -1)
    image = Image.fromarray(PIXELS)
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True})):
        np.testing.assert_array_equal(decode(encoded(image, kind, exif=data, **options)), want)
    photo = encoded(image, "JPEG", exif=data)
    assert jpeg_header(photo).orientation == 6
    np.testing.assert_array_equal(decode(photo), np.rot90(decode(encoded(image, "JPEG")), -1))


@pytest.mark.parametrize(
    ("data", "orientation"),
    [
        (b"", 1),
        (b"Exif\0\0", 1),
        (b"Exif\0\0garbage", 1),
        (b"Exif\0\0II*\0" + LAST, 1),
        (exif([]), 1),
        (exif([turned("<")])[:20], 1),
        (exif([turned("<"), turned("<")])[:30], 6),
        (exif([(ORIENTATION, 3, 1, b"\x09")]), 1),
        (exif([(ORIENTATION, 3, 1, b"\0")]), 1),
        (exif([(ORIENTATION, 4, 1, struct.pack(">I", 8))], ">"), 8),
        (exif([(ORIENTATION, 1, 1, b"\x03")]), 3),
    ],
)
def test_damaged_and_odd_data(data, orientation):
    assert exif_orientation(data) == orientation


def test_orientations_are_pillows():
    image = Image.fromarray(PIXELS)
    steps = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
    for orientation, step in steps.items():
        want = PIXELS if step is None else np.asarray(image.transpose(Image.Transpose(step)))
        np.testing.assert_array_equal(upright(PIXELS, orientation), want)


def test_a_png_file_says_its_orientation_after_the_pixels_too():
    data = encoded(Image.fromarray(PIXELS), "PNG")
    entry = exif([turned("<")])[6:]
    chunk = struct.pack(">I4s", len(entry), b"eXIf") + entry + bytes(4)
    assert png_header(data[:-12] + chunk + data[-12:]).orientation == 6
