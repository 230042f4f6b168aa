"""One image file, as a network is to see it."""

import numpy as np
from PIL import Image, ImageFile, ImageOps

from ..utils.errors import UserError


def read_image(path, height, width):
    """An image file as (height, width, 3) uint8 RGB.

    Turned as its EXIF entry says, then scaled bilinearly to the whole size; neither the proportions nor the edges are
    kept otherwise. A file that is missing or no whole image is a `UserError`.
    """
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # GluonCV, once imported, has cut images pass as grey

    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            return np.asarray(upright.resize((width, height), Image.Resampling.BILINEAR))
    except FileNotFoundError:
        raise UserError(f"image {path} does not exist") from None
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise UserError(f"image {path} cannot be read: {error}") from None
