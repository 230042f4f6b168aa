"""Policies of augmentation under timm's names, of the operations of RandAugment.

"original" is AutoAugment's policy for ImageNet (Cubuk et al. 2018, https://arxiv.org/abs/1805.09501). "rand-m9-mstd0.5"
and the like is RandAugment as the recipes of timm and PyTorch have it: magnitudes from 0 to 10, drawn anew for each
operation, which acts with a probability. As everywhere here, what comes in at an edge is gray.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image, ImageOps

from ..config.augmentation import RandPolicy, rand_policy
from .rand_augment import OPERATIONS, TRANSLATION, each_image

#: (image, level from 0 to 1, or above with mmax, sign -1 or 1) -> image
Leveled = Callable[[Image.Image, float, int], Image.Image]
_LEVELS = 10
_SHIFT = 0.45  # of the side, at the highest level


@dataclass(frozen=True)
class Step:
    """One operation of a policy.

    Attributes:
        name: of `LEVELED`.
        probability: with which it acts.
        magnitude: mean of its level, from 0 to 10.
        deviation: standard deviation of the level; math.inf: uniform from 0 to `magnitude`.
        largest: bound of the level.
    """

    name: str
    probability: float
    magnitude: float
    deviation: float = 0.0
    largest: float = _LEVELS

    def __call__(self, image: Image.Image, rng: np.random.Generator) -> Image.Image:
        """The changed image, or the same."""
        if rng.random() >= self.probability:
            return image
        level = self.magnitude
        if self.deviation:
            uniform = math.isinf(self.deviation)
            level = rng.uniform(0, level) if uniform else rng.normal(level, self.deviation)
        level = min(max(level, 0.0), self.largest)
        return LEVELED[self.name](image, level / _LEVELS, 1 if rng.random() < 0.5 else -1)


def auto_augment(images: np.ndarray, policy: str, rng: np.random.Generator) -> np.ndarray:
    """Change each image by a policy.

    Args:
        images: (B, H, W, 3) uint8 RGB.
        policy: its name, see the module's docstring.
        rng: source of everything random.

    Returns:
        (B, H, W, 3) uint8, a new array.
    """
    given = rand_policy(policy)

    def change(image: Image.Image) -> Image.Image:
        steps = IMAGENET[rng.integers(len(IMAGENET))] if given is None else _drawn(given, rng)
        for step in steps:
            image = step(image, rng)
        return image

    return each_image(images, change)


def _drawn(policy: RandPolicy, rng: np.random.Generator) -> list[Step]:
    names = RAND if not policy.increasing else RAND_INCREASING
    rest = (policy.probability, policy.magnitude, policy.deviation, policy.largest)
    return [Step(names[number], *rest) for number in rng.integers(len(names), size=policy.count)]


def _enhance(name: str, image: Image.Image, level: float, sign: int) -> Image.Image:
    """Factors from 0.1 at level 0 to 1.9 at level 1."""
    strength = 2 * level - 1
    return OPERATIONS[name](image, abs(strength), 1 if strength > 0 else -1)


def _enhance_increasing(name: str, image: Image.Image, level: float, sign: int) -> Image.Image:
    """Factors 1 +- 0.9 times the level, from 0.1 on."""
    return OPERATIONS[name](image, level if sign > 0 else min(level, 1.0), sign)


def _shift(name: str, image: Image.Image, level: float, sign: int) -> Image.Image:
    return OPERATIONS[name](image, level * _SHIFT / TRANSLATION, sign)


def _posterize(first: int, by: int, image: Image.Image, level: float, sign: int) -> Image.Image:
    bits = min(max(first + by * int(4 * level), 0), 8)
    return ImageOps.posterize(image, bits) if bits else Image.new(image.mode, image.size)  # Pillow 13 takes no 0


def _solarize(increasing: bool, image: Image.Image, level: float, sign: int) -> Image.Image:
    threshold = min(256, int(256 * level))
    return ImageOps.solarize(image, 256 - threshold if increasing else threshold)


def _solarize_add(image: Image.Image, level: float, sign: int) -> Image.Image:
    """Brighten what is below 128."""
    added = min(128, int(110 * level))
    table = [min(255, value + added) if value < 128 else value for value in range(256)]
    return image.point(table * 3)


_ENHANCED = ("color", "contrast", "brightness", "sharpness")
_PLAIN = ("autocontrast", "equalize", "rotate", "shear_x", "shear_y")
LEVELED: dict[str, Leveled] = {
    **{name: OPERATIONS[name] for name in _PLAIN},
    "invert": lambda image, level, sign: ImageOps.invert(image),
    **{name: partial(_enhance, name) for name in _ENHANCED},
    **{f"{name}_increasing": partial(_enhance_increasing, name) for name in _ENHANCED},
    **{name: partial(_shift, name) for name in ("translate_x", "translate_y")},
    "posterize": partial(_posterize, 0, 1),
    "posterize_increasing": partial(_posterize, 4, -1),
    "posterize_original": partial(_posterize, 4, 1),
    "solarize": partial(_solarize, False),
    "solarize_increasing": partial(_solarize, True),
    "solarize_add": _solarize_add,
}
#: the fifteen operations of timm's RandAugment
RAND = (
    "autocontrast", "equalize", "invert", "rotate", "posterize", "solarize", "solarize_add", *_ENHANCED, "shear_x",
    "shear_y", "translate_x", "translate_y",
)  # fmt: skip
_STRONGER = {"posterize", "solarize", *_ENHANCED}  # have a form whose strength rises with the level
RAND_INCREASING = tuple(f"{name}_increasing" if name in _STRONGER else name for name in RAND)


def _pairs(text: str) -> tuple[tuple[Step, Step], ...]:
    """Sub-policies, one per line: name, probability, level, and once more."""
    rows = [line.split() for line in text.strip().splitlines()]
    return tuple(
        (Step(row[0], float(row[1]), float(row[2])), Step(row[3], float(row[4]), float(row[5]))) for row in rows
    )


#: the 25 sub-policies of AutoAugment for ImageNet, table 9 of the paper; one is drawn for each image
IMAGENET = _pairs(
    """
    posterize_original 0.4 8  rotate 0.6 9
    solarize 0.6 5            autocontrast 0.6 5
    equalize 0.8 8            equalize 0.6 3
    posterize_original 0.6 7  posterize_original 0.6 6
    equalize 0.4 7            solarize 0.2 4
    equalize 0.4 4            rotate 0.8 8
    solarize 0.6 3            equalize 0.6 7
    posterize_original 0.8 5  equalize 1.0 2
    rotate 0.2 3              solarize 0.6 8
    equalize 0.6 8            posterize_original 0.4 6
    rotate 0.8 8              color 0.4 0
    rotate 0.4 9              equalize 0.6 2
    equalize 0.0 7            equalize 0.8 8
    invert 0.6 4              equalize 1.0 8
    color 0.6 4               contrast 1.0 8
    rotate 0.8 8              color 1.0 2
    color 0.8 8               solarize 0.8 7
    sharpness 0.4 7           invert 0.6 8
    shear_x 0.6 5             equalize 1.0 9
    color 0.4 0               equalize 0.6 3
    equalize 0.4 7            solarize 0.2 4
    solarize 0.6 5            autocontrast 0.6 5
    invert 0.6 4              equalize 1.0 8
    color 0.6 4               contrast 1.0 8
    equalize 0.8 8            equalize 0.6 3
    """
)
