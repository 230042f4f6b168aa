"""One image file, as the input of a network."""

from pathlib import Path

import numpy as np
from PIL import Image

from ..utils.errors import UserError
from .decode import decode
from .image_notes import BadImage, Note, silent


def read_image(path: Path | str, height: int, width: int, note: Note = silent) -> np.ndarray:
    """Read an image file of any format that Pillow knows.

    It is decoded as images of a data set are, and resized bilinearly as a whole: neither proportions nor edges are
    kept.

    Args:
        path: the file.
        height: of the result.
        width: of the result.
        note: is told what is not as in the file, see `decode.decode`.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        UserError: the file is missing, or not a whole image.
    """
    return resized(read_pixels(path, note), height, width)


def read_pixels(path: Path | str, note: Note = silent, data: bytes | None = None) -> np.ndarray:
    """Read an image file of any format that Pillow knows, in its own size, (H, W, 3) uint8 RGB.

    Args:
        path: the file.
        note: as of `read_image`.
        data: its bytes, where they did not come from a file.

    Raises:
        UserError: as `read_image`.
    """
    try:
        return decode(Path(path).expanduser().read_bytes() if data is None else data, note)
    except FileNotFoundError:
        raise UserError(f"image {path} does not exist") from None
    except (OSError, BadImage) as error:
        raise UserError(f"image {path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def resized(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """An image, uint8, resized bilinearly as a whole."""
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))
