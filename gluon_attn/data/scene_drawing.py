"""One scene: handwritten digits of many sizes, turned and overlapping, on a crop of a photograph."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

#: (share of the digits, least height, largest height in a scene whose longer side is 256); a digit covers a third of
#: its square, so these give areas below 32^2, up to 96^2, and above
RANGES = ((0.3, 18, 46), (0.5, 46, 120), (0.2, 150, 200))
_FULL = 256
_DIGITS = (3, 8)  # fewest and most of a scene
_CROWD, _MEMBERS = 0.12, (6, 11)  # share of the scenes with a crowd, and how many digits are in it
_CROWD_HEIGHTS = (12, 26)
_TRIES = 30
_VISIBLE = 0.8  # share of an object that later ones must leave
_TURN, _STRETCH = math.radians(20), 1.25
_INK = 0.42  # of full ink, where a digit begins
_CONTRAST = (80, 170)  # between a digit and what is behind it, in levels
_TINT = 35
_MUTED, _DARKER = 0.6, 0.55  # contrast and brightness that the photograph keeps: digits are lighter


@dataclass
class Drawn:
    """An object of a scene.

    Attributes:
        label: which digit.
        mask: (h, w) uint8, 1 where it is visible.
        crowd: whether it is a crowd.
        pixels: number of pixels before anything was drawn over it.
    """

    label: int
    mask: np.ndarray
    crowd: bool
    pixels: int


@dataclass(frozen=True)
class Digits:
    """Digits to draw from: (N, 8, 8) images from 0 to 1, and (N,) labels."""

    images: np.ndarray
    labels: np.ndarray


class Scene:
    """A scene that is being composed.

    Args:
        photographs: (H, W, 3) uint8 images to take the background from.
        height: of the scene.
        width: of the scene.
        rng: source of everything random.

    Attributes:
        image: (height, width, 3) float32, RGB from 0 to 255.
        objects: from the rearmost to the foremost.
    """

    def __init__(self, photographs: Sequence[np.ndarray], height: int, width: int, rng: np.random.Generator) -> None:
        self._rng = rng
        self.image = _background(photographs, height, width, rng)
        self.objects: list[Drawn] = []

    def fill(self, digits: Digits) -> None:
        """Draw a few digits, the largest first, so that a small one can lie on a large one; and perhaps a crowd."""
        rng = self._rng
        longer = max(self.image.shape)
        crowded = rng.random() < _CROWD
        count = int(rng.integers(_DIGITS[0], _DIGITS[1] + 1))
        for height in sorted((_height(rng, longer) for _ in range(count)), reverse=True):
            number = int(rng.integers(len(digits.labels)))
            self._place([digits.images[number]], int(digits.labels[number]), height)
        if crowded:
            label = int(rng.choice(digits.labels))
            members = np.flatnonzero(digits.labels == label)
            chosen = rng.choice(members, int(rng.integers(_MEMBERS[0], _MEMBERS[1] + 1)))
            self._place(list(digits.images[chosen]), label, float(rng.uniform(*_CROWD_HEIGHTS)))

    def _place(self, images: list[np.ndarray], label: int, height: float) -> None:
        """Draw a digit, or several close to each other as one object, where enough of earlier ones stays visible."""
        rows, columns = self.image.shape[:2]
        spread = height * math.sqrt(len(images)) / 2 if len(images) > 1 else 0.0
        for _ in range(_TRIES):
            center = self._rng.uniform([0.3 * height, 0.3 * height], [columns - 0.3 * height, rows - 0.3 * height])
            places = center + self._rng.uniform(-spread, spread, (len(images), 2))
            layers = [
                _drawn(image, height, place, (rows, columns), self._rng)
                for image, place in zip(images, places, strict=True)
            ]
            mask = np.max(layers, axis=0) > 0.5
            if _inside(layers) and all(_remains(one, mask) for one in self.objects):
                break
        else:
            return
        for layer in layers:
            color = self._color(layer > 0.5)
            self.image += layer[..., None] * (color - self.image)
        for one in self.objects:
            one.mask[mask] = 0
        self.objects.append(Drawn(label, mask.astype(np.uint8), len(images) > 1, int(mask.sum())))

    def _color(self, mask: np.ndarray) -> np.ndarray:
        """A color that differs from what is behind a mask: lighter, unless that is light itself."""
        behind = float(self.image[mask].mean()) if mask.any() else 0.0
        step = float(self._rng.uniform(*_CONTRAST))
        level = behind + step if behind < 140 else behind - step
        return np.clip(level + self._rng.uniform(-_TINT, _TINT, 3), 0, 255).astype(np.float32)


def _background(
    photographs: Sequence[np.ndarray], height: int, width: int, rng: np.random.Generator
) -> np.ndarray:  # fmt: skip
    photograph = photographs[int(rng.integers(len(photographs)))]
    most = min(photograph.shape[0] / height, photograph.shape[1] / width)
    scale = float(rng.uniform(min(0.6, most), min(1.6, most)))
    rows, columns = max(1, int(height * scale)), max(1, int(width * scale))
    top = int(rng.integers(photograph.shape[0] - rows + 1))
    left = int(rng.integers(photograph.shape[1] - columns + 1))
    crop = cv2.resize(
        photograph[top : top + rows, left : left + columns], (width, height), interpolation=cv2.INTER_AREA
    )
    crop = (crop[:, ::-1] if rng.random() < 0.5 else crop).astype(np.float32)
    return np.float32(_DARKER) * (crop * np.float32(_MUTED) + crop.mean(axis=(0, 1)) * np.float32(1 - _MUTED))


def _height(rng: np.random.Generator, longer: int) -> float:
    """Height of a digit: one of the ranges, and log-uniform within it."""
    part = int(rng.choice(len(RANGES), p=[share for share, _, _ in RANGES]))
    least, most = (max(RANGES[0][1], side * longer / _FULL) for side in RANGES[part][1:])
    return float(np.exp(rng.uniform(math.log(least), math.log(most))))


def _drawn(
    image: np.ndarray, height: float, center: np.ndarray, size: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """A digit's opacity in every pixel of the scene, (h, w) float32 from 0 to 1; it begins at 0.5."""
    fine = int(np.clip(round(height / 8), 1, 8))  # enlarged smoothly first: turning a coarse image shows its pixels
    padded = np.pad(image.astype(np.float32), 2)
    smooth = cv2.resize(padded, None, fx=fine, fy=fine, interpolation=cv2.INTER_CUBIC)
    smooth = cv2.GaussianBlur(smooth, (0, 0), 0.4 * fine) if fine > 1 else smooth
    angle, stretch = rng.uniform(-_TURN, _TURN), math.exp(rng.uniform(-1, 1) * math.log(_STRETCH) / 2)
    scale = height / 8 / fine
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    linear = turn @ np.diag([scale * stretch, scale / stretch])
    middle = np.array([smooth.shape[1] - 1, smooth.shape[0] - 1]) / 2
    moved = np.column_stack([linear, center - linear @ middle])
    ink = cv2.warpAffine(smooth, moved, (size[1], size[0]), flags=cv2.INTER_LINEAR)
    softness = 8 / height  # ink per pixel at an edge
    return np.clip((ink - _INK) / softness + 0.5, 0, 1)


def _inside(layers: list[np.ndarray]) -> bool:
    """Whether each digit is there at all and does not end in the border of the scene."""
    return all(
        (layer > 0.5).any() and not (layer[[0, -1]] > 0.5).any() and not (layer[:, [0, -1]] > 0.5).any()
        for layer in layers
    )


def _remains(old: Drawn, new: np.ndarray) -> bool:
    """Whether enough of an object stays visible behind a new one."""
    return int((old.mask > new).sum()) >= _VISIBLE * old.pixels
