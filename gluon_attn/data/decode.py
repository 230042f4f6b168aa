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
_WHOLE_FILE = "not a whole {} file"
#: what Pillow's readers let through where a file is damaged, apart from the errors that they promise
_DAMAGE = (KeyError, IndexError, TypeError, AttributeError, OverflowError, MemoryError, RuntimeError)

# on damaged entries and large images, which are read or refused with one line
warnings.filterwarnings("ignore", module=r"PIL\.")


def decode(data: bytes, note: Note = silent) -> np.ndarray:
    """Decode an image file of any format that Pillow knows.

    It is turned as its EXIF entry says. For the rule of each mode see `pixel_modes`.

    Args:
        data: bytes of the file.
        note: is told what is not as in the file: transparency, further frames.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        BadImage: it is no such file, or not a whole one, or has more than `MAX_PIXELS`.
    """
    if data.startswith(JPEG):
        return _opencv(data, jpeg_header(data), "JPEG")
    if data.startswith(PNG):
        header = png_header(data)
        if header.plain:
            return _opencv(data, header, "PNG")
    return _pillow(data, note)


def _opencv(data: bytes, header: Header, kind: str) -> np.ndarray:
    if not header.width or not header.height:
        raise BadImage(_WHOLE_FILE.format(kind))
    _check_size(header.width, header.height)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise BadImage(_WHOLE_FILE.format(kind))
    return pixels if header.orientation == 1 else upright(pixels, header.orientation)


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
