"""One image file, as the input of a network."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps

from ..utils.errors import UserError


def read_image(path: Path | str, height: int, width: int) -> np.ndarray:
    """Read an image file of any format that Pillow knows.

    It is turned as its EXIF entry says and resized bilinearly as a whole: neither proportions nor edges are kept.

    Args:
        path: the file.
        height: of the result.
        width: of the result.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        UserError: the file is missing, or not a whole image.
    """
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # GluonCV sets it, and truncated images would pass as gray

    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            return np.asarray(upright.resize((width, height), Image.Resampling.BILINEAR))
    except FileNotFoundError:
        raise UserError(f"image {path} does not exist") from None
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise UserError(f"image {path} cannot be read: {error}") from None
