"""A Pillow image of any mode -> 8-bit RGB pixels, by one rule for each mode.

| mode | pixels |
|---|---|
| 1, L, P, RGB, CMYK, YCbCr, HSV | as Pillow converts them |
| with alpha or transparent colors | on white |
| 16 bits per channel (12 in some TIFF files) | the highest 8 bits, as libpng and Pillow take them of RGB |
| float | 0 to 1 becomes 0 to 255; whole numbers from 0 to 255 stay |
| 32-bit integer | whole numbers from 0 to 255 stay |

Other float and 32-bit pixels have no range that all programs agree on: they are refused, not guessed.
"""

from typing import Any

import numpy as np
from PIL import Image

from .image_notes import BadImage, Note, silent

TRANSPARENT = "transparent images are put on white"
_ALPHA = {"LA", "PA", "RGBA", "La", "RGBa"}
_BITS, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # tags of TIFF
_SLACK = 1e-3  # above 1 and below 0, from resampling


def to_rgb(image: Image.Image, note: Note = silent) -> np.ndarray:
    """The pixels of a loaded image.

    Args:
        image: of any mode.
        note: is told when transparent pixels are put on white.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        BadImage: its pixels have no known range.
        ValueError: Pillow cannot convert its mode.
    """
    # mode I holds 16 bits of PNG files in older versions of Pillow, and of PPM files in all
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        return _on_white(*_deep(image), note)
    if image.mode in ("I", "F"):
        return _gray(_turned(image, _levels(np.asarray(image))))
    transparent = image.info.get("transparency")
    if image.mode not in _ALPHA and transparent is None:
        return np.asarray(image.convert("RGB"))
    if isinstance(transparent, tuple) and max(transparent) > 255:  # of a PNG file with 16 bits per channel
        image.info["transparency"] = tuple(level >> 8 for level in transparent)
    pixels = np.asarray(image.convert("RGBA"))
    return _on_white(pixels[..., :3], pixels[..., 3], note)


def _deep(image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """(pixels, alpha) of a gray image of 16 or 12 bits."""
    values = np.asarray(image)
    shift = int(_tag(image, _BITS, (16,))[0]) - 8
    pixels = _gray(_turned(image, (values >> shift).astype(np.uint8)))
    alpha = np.full(values.shape, 255, np.uint8)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        alpha[values == transparent] = 0
    return pixels, alpha


def _levels(values: np.ndarray) -> np.ndarray:
    """Float or 32-bit integers as 8-bit levels."""
    low, high, is_float = values.min(), values.max(), values.dtype.kind == "f"
    if is_float and low >= -_SLACK and high <= 1 + _SLACK:
        return np.rint(values.clip(0, 1) * 255)
    if low >= 0 and high <= 255 and (values == np.rint(values)).all():
        return values
    known = "0 to 1, or whole ones from 0 to 255" if is_float else "0 to 255"
    pixels = f"its {values.dtype} pixels go from {low:g} to {high:g}"
    raise BadImage(f"{pixels}, not from {known}: save it with 8 or 16 bits")


def _on_white(pixels: np.ndarray, alpha: np.ndarray, note: Note) -> np.ndarray:
    """Compose pixels (H, W, 3) on white, `alpha` (H, W) from 0 to 255."""
    if alpha.min() == 255:
        return pixels
    note(TRANSPARENT)
    share = alpha[..., None].astype(np.uint16)
    return ((pixels * share + 255 * (255 - share) + 127) // 255).astype(np.uint8)


def _turned(image: Image.Image, levels: np.ndarray) -> np.ndarray:
    """Levels with black as 0: Pillow does not look where TIFF files count the other way."""
    levels = levels.astype(np.uint8)
    return 255 - levels if _tag(image, _PHOTOMETRIC, 1) == _WHITE_IS_ZERO else levels


def _gray(levels: np.ndarray) -> np.ndarray:
    return np.repeat(levels[..., None], 3, axis=2)


def _tag(image: Image.Image, number: int, default: Any) -> Any:
    """A tag of a TIFF file; `default` where there is none, as in all other files."""
    return getattr(image, "tag_v2", {}).get(number, default)
