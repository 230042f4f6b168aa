"""RandAugment, Cubuk et al. 2019, https://arxiv.org/abs/1909.13719: its fourteen operations, by Pillow."""

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from ..config.data import MOST_MAGNITUDE

_GREY = (128, 128, 128)


def rand_augment(images, count, magnitude, rng):
    """`count` operations, drawn with repetition, on each of (B, H, W, 3) uint8; magnitude from 0 to `MOST_MAGNITUDE`.

    At the strongest, shears are 0.3, shifts 150/331 of the side, rotations 30 degrees, enhancements 1 +- 0.9,
    posterising keeps 4 bits and solarising inverts all; those that have a direction take either with probability one
    half. What comes in at an edge is grey.
    """
    changed = np.empty_like(images)
    names = list(OPERATIONS)
    for image, out in zip(images, changed, strict=True):
        picture = Image.fromarray(image)
        for choice, sign in zip(rng.integers(0, len(names), count), rng.choice((-1, 1), count), strict=True):
            picture = OPERATIONS[names[choice]](picture, magnitude / MOST_MAGNITUDE, sign)
        out[...] = picture
    return changed


def _enhance(kind):
    return lambda picture, level, sign: kind(picture).enhance(1 + sign * 0.9 * level)


def _affine(matrix):
    """matrix: function (signed level, width, height) -> Pillow's six numbers, output place to input place."""

    def apply(picture, level, sign):
        numbers = matrix(sign * level, *picture.size)
        return picture.transform(picture.size, Image.Transform.AFFINE, numbers, fillcolor=_GREY)

    return apply


_SHIFT, _SHEAR = 150 / 331, 0.3

#: name -> function (picture, level from 0 to 1, sign) -> picture
OPERATIONS = {
    "identity": lambda picture, level, sign: picture,
    "autocontrast": lambda picture, level, sign: ImageOps.autocontrast(picture),
    "equalize": lambda picture, level, sign: ImageOps.equalize(picture),
    "rotate": lambda picture, level, sign: picture.rotate(30 * sign * level, fillcolor=_GREY),
    "solarize": lambda picture, level, sign: ImageOps.solarize(picture, 256 * (1 - level)),
    "posterize": lambda picture, level, sign: ImageOps.posterize(picture, 8 - round(4 * level)),
    "color": _enhance(ImageEnhance.Color),
    "contrast": _enhance(ImageEnhance.Contrast),
    "brightness": _enhance(ImageEnhance.Brightness),
    "sharpness": _enhance(ImageEnhance.Sharpness),
    "shear_x": _affine(lambda level, width, height: (1, _SHEAR * level, 0, 0, 1, 0)),
    "shear_y": _affine(lambda level, width, height: (1, 0, 0, _SHEAR * level, 1, 0)),
    "translate_x": _affine(lambda level, width, height: (1, 0, _SHIFT * level * width, 0, 1, 0)),
    "translate_y": _affine(lambda level, width, height: (1, 0, 0, 0, 1, _SHIFT * level * height)),
}
