"""RandAugment (Cubuk et al. 2019, https://arxiv.org/abs/1909.13719): its fourteen operations, by Pillow."""

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from ..config.data import MOST_MAGNITUDE

_GRAY = (128, 128, 128)
#: share of the side at the largest magnitude
TRANSLATION = 150 / 331
_SHEAR = 0.3
#: (image, strength from 0 to 1, sign -1 or 1) -> image
Operation = Callable[[Image.Image, float, int], Image.Image]


def rand_augment(images: np.ndarray, count: int, magnitude: int, rng: np.random.Generator) -> np.ndarray:
    """Apply some operations, drawn with repetition, to each image.

    At the largest magnitude shears are 0.3, translations 150/331 of the side, rotations 30 degrees, enhancement factors
    1 +- 0.9; posterize keeps 4 bits and solarize inverts all pixels. Operations with a direction take either with
    probability 0.5. What comes in at an edge is gray.

    Args:
        images: (B, H, W, 3) uint8 RGB.
        count: operations per image.
        magnitude: strength, from 0 to `MOST_MAGNITUDE`.
        rng: source of operations and directions.

    Returns:
        (B, H, W, 3) uint8, a new array.
    """
    names = list(OPERATIONS)

    def change(image: Image.Image) -> Image.Image:
        for chosen, sign in zip(rng.integers(0, len(names), count), rng.choice((-1, 1), count), strict=True):
            image = OPERATIONS[names[chosen]](image, magnitude / MOST_MAGNITUDE, sign)
        return image

    return each_image(images, change)


def each_image(images: np.ndarray, change: Callable[[Image.Image], Image.Image]) -> np.ndarray:
    """Change each of (B, H, W, 3) uint8 images by a function of Pillow's; a new array."""
    changed = np.empty_like(images)
    for pixels, out in zip(images, changed, strict=True):
        out[...] = change(Image.fromarray(pixels))
    return changed


def _enhance(kind: Callable[[Image.Image], ImageEnhance._Enhance]) -> Operation:
    return lambda image, strength, sign: kind(image).enhance(1 + sign * 0.9 * strength)


def _affine(matrix: Callable[[float, int, int], tuple[float, ...]]) -> Operation:
    """matrix: (signed strength, width, height) -> Pillow's six numbers, from output to input coordinates."""

    def apply(image: Image.Image, strength: float, sign: int) -> Image.Image:
        numbers = matrix(sign * strength, *image.size)
        return image.transform(image.size, Image.Transform.AFFINE, numbers, fillcolor=_GRAY)

    return apply


OPERATIONS: dict[str, Operation] = {
    "identity": lambda image, strength, sign: image,
    "autocontrast": lambda image, strength, sign: ImageOps.autocontrast(image),
    "equalize": lambda image, strength, sign: ImageOps.equalize(image),
    "rotate": lambda image, strength, sign: image.rotate(30 * sign * strength, fillcolor=_GRAY),
    "solarize": lambda image, strength, sign: ImageOps.solarize(image, math.ceil(256 * (1 - strength))),
    "posterize": lambda image, strength, sign: ImageOps.posterize(image, 8 - round(4 * strength)),
    "color": _enhance(ImageEnhance.Color),
    "contrast": _enhance(ImageEnhance.Contrast),
    "brightness": _enhance(ImageEnhance.Brightness),
    "sharpness": _enhance(ImageEnhance.Sharpness),
    "shear_x": _affine(lambda strength, width, height: (1, _SHEAR * strength, 0, 0, 1, 0)),
    "shear_y": _affine(lambda strength, width, height: (1, 0, 0, _SHEAR * strength, 1, 0)),
    "translate_x": _affine(lambda strength, width, height: (1, 0, TRANSLATION * strength * width, 0, 1, 0)),
    "translate_y": _affine(lambda strength, width, height: (1, 0, 0, 0, 1, TRANSLATION * strength * height)),
}
