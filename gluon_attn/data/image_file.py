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
    try:
        pixels = decode(Path(path).expanduser().read_bytes(), note)
    except FileNotFoundError:
        raise UserError(f"image {path} does not exist") from None
    except (OSError, BadImage) as error:
        raise UserError(f"image {path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))
