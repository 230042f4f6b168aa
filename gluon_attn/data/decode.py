"""The one way from the bytes of an image file to pixels: training, evaluation, packing and prediction all take it.

OpenCV decodes JPEG and plain PNG files, outside Python's lock; Pillow all others. Where both can, they give the same
pixels, except for CMYK in JPEG files, where they differ by one level.
"""

import io
import struct
import warnings

import cv2
import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from .image_header import JPEG, PNG, Header, exif_orientation, jpeg_header, png_header, upright
from .image_notes import BadImage, Note, silent
from .pixel_modes import to_rgb

#: where Pillow refuses, too: such a file needs gigabytes of memory, and may be made to
MAX_PIXELS = 178_956_970
FIRST_FRAME = "of images with several frames or pages the first is read"
#: what height and width are divided by -> OpenCV's flag; those of REDUCED_COLOR have BGR in them, which RGB excludes
_REDUCED = {
    1: 0, 2: cv2.IMREAD_REDUCED_GRAYSCALE_2, 4: cv2.IMREAD_REDUCED_GRAYSCALE_4, 8: cv2.IMREAD_REDUCED_GRAYSCALE_8
}  # fmt: skip
_END = b"\xff\xd9"  # of a JPEG file
_BLOCK = 16  # rows of pixels that are coded together, at most
_WHOLE_FILE = "not a whole {} file"
#: what Pillow's readers let through where a file is damaged, apart from the errors that they promise
_DAMAGE = (KeyError, IndexError, TypeError, AttributeError, OverflowError, MemoryError, RuntimeError)

# on damaged entries and large images, which are read or refused with one line
warnings.filterwarnings("ignore", module=r"PIL\.")


def decode(data: bytes, note: Note = silent, reduction: int = 1, rows: int | None = None) -> np.ndarray:
    """Decode an image file of any format that Pillow knows.

    It is turned as its EXIF entry says. For the rule of each mode see `pixel_modes`.

    Args:
        data: bytes of the file.
        note: is told what is not as in the file: transparency, further frames.
        reduction: 1, 2, 4 or 8: a JPEG file is decoded from the lower frequencies of its blocks alone, to so small a
            part of its height and width, rounded up. Other files are decoded as they are.
        rows: number of rows that are needed; the result may lack those below them. Before `reduction`.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        BadImage: it is no such file, or not a whole one, or has more than `MAX_PIXELS`.
    """
    if data.startswith(JPEG):
        return _jpeg(data, reduction, rows)
    if data.startswith(PNG):
        header = png_header(data)
        if header.plain:
            return _opencv(data, header, "PNG")
    return _pillow(data, note)


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """(H, W) of what `decode` makes of a JPEG file, which is not decoded for it.

    None for any other file, and for one that `decode` refuses by its header.
    """
    if not data.startswith(JPEG):
        return None
    header = jpeg_header(data)
    size = (header.width, header.height) if header.orientation >= 5 else (header.height, header.width)
    return size if 0 < header.width * header.height <= MAX_PIXELS else None


def _jpeg(data: bytes, reduction: int, rows: int | None) -> np.ndarray:
    header = jpeg_header(data)
    above = None if rows is None else _first_rows(data, header, rows + reduction)
    pixels = None if above is None else _imdecode(above, reduction)
    return _opencv(data, header, "JPEG", reduction) if pixels is None else pixels


def _first_rows(data: bytes, header: Header, rows: int) -> np.ndarray | None:
    """A JPEG file of the first rows of another, up to the last but one; None where that saves nothing or cannot be had.

    The decoder stops at the height in the header. The last row differs, as colors are interpolated between rows. The
    end marker is taken off, which libjpeg would look for, and write of superfluous bytes on stderr. A file without one
    was cut off, which is for the decoder to find.
    """
    height = (rows // _BLOCK + 1) * _BLOCK
    saves = header.height_at and header.orientation == 1 and height < header.height
    if not saves or header.width * header.height > MAX_PIXELS or not data.endswith(_END):
        return None
    above = np.frombuffer(data, np.uint8)[: -len(_END)].copy()
    above[header.height_at : header.height_at + 2] = divmod(height, 256)
    return above


def _opencv(data: bytes, header: Header, kind: str, reduction: int = 1) -> np.ndarray:
    if not header.width or not header.height:
        raise BadImage(_WHOLE_FILE.format(kind))
    _check_size(header.width, header.height)
    pixels = _imdecode(np.frombuffer(data, np.uint8), reduction)
    if pixels is None:
        raise BadImage(_WHOLE_FILE.format(kind))
    return pixels if header.orientation == 1 else upright(pixels, header.orientation)


def _imdecode(data: np.ndarray, reduction: int) -> np.ndarray | None:
    try:
        return cv2.imdecode(data, _REDUCED[reduction] | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None


def _pillow(data: bytes, note: Note) -> np.ndarray:
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # GluonCV sets it, and truncated images would pass as gray
    try:
        with Image.open(io.BytesIO(data)) as image:
            _check_size(*image.size)
            several = getattr(image, "is_animated", False)
            image.load()
            pixels = to_rgb(image, note)
            if several:
                note(FIRST_FRAME)
            orientation = _orientation(image)
    except UnidentifiedImageError:
        raise BadImage("not an image file of a known format and pixel type") from None
    except Image.DecompressionBombError:
        raise BadImage(f"more than {MAX_PIXELS:,} pixels") from None
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, *_DAMAGE) as error:
        raise BadImage(f"it cannot be decoded: {' '.join(str(error).split())}") from None
    return upright(pixels, orientation)


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise BadImage(f"{width}x{height} are more than {MAX_PIXELS:,} pixels")


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; Pillow applies that of TIFF files itself when it loads them."""
    exif = b"" if image.format == "TIFF" else image.info.get("exif", b"")
    return exif_orientation(exif) if isinstance(exif, bytes) else 1
