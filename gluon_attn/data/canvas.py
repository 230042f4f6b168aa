"""From an image of any size to a network's input: resized, perhaps mirrored, normalized, and put onto a canvas.

A configuration has two canvases, a landscape and a portrait one, so that compiled graphs see two shapes at most, and
what a network computes for an image does not depend on the images beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from .objects import Objects, no_objects

MULTIPLE = 32  # the stride of the coarsest feature map of a backbone
_FLIP = 0.5


@dataclass(frozen=True)
class Sample:
    """An image on its canvas, with its objects.

    Attributes:
        image: (3, H, W) float32, normalized, zeros right of the image and below it.
        size: (h, w) after resizing, without the zeros.
        scale: new height / old height, new width / old width.
        flipped: whether it was mirrored, after resizing.
        original: (h, w) before resizing.
        image_id: as in the data set.
        index: number of the image in the data set.
        objects: in the frame of the canvas.
    """

    image: np.ndarray = field(repr=False)
    size: tuple[int, int]
    scale: tuple[float, float]
    flipped: bool
    original: tuple[int, int]
    image_id: int
    index: int
    objects: Objects = field(repr=False)


@dataclass(frozen=True)
class Canvases:
    """The shapes of a configuration.

    Attributes:
        landscape: (H, W) for images that are at least as wide as high.
        portrait: (H, W) for the others.
    """

    landscape: tuple[int, int]
    portrait: tuple[int, int]

    def of(self, height: int, width: int) -> tuple[int, int]:
        """The canvas of an image of this size."""
        return self.portrait if height > width else self.landscape


def choose(sizes: np.ndarray, shorter: Sequence[int], longer: int, square: bool = False) -> Canvases:
    """The smallest canvases that hold the images of a data set.

    Args:
        sizes: (N, 2), (h, w) of the images, those of the training and the test set together.
        shorter: lengths of the shorter side to resize to.
        longer: longest longer side.
        square: one square canvas for all, for networks that are bound to positions.

    Returns:
        Multiples of 32, neither larger than `longer` needs.
    """
    fitted = [resized_size(int(h), int(w), side, longer) for h, w in np.unique(sizes, axis=0) for side in shorter]
    short, long = (_rounded_up(max(pick(size) for size in fitted)) for pick in (min, max))
    return Canvases((long, long), (long, long)) if square else Canvases((short, long), (long, short))


def resized_size(
    height: int, width: int, shorter: int, longer: int, canvas: tuple[int, int] | None = None
) -> tuple[int, int]:
    """Size of a resized image that keeps its ratio, rounded down.

    Args:
        height: of the image.
        width: of the image.
        shorter: its shorter side becomes this ...
        longer: ... unless the longer one would be more than this.
        canvas: (H, W) that neither side may exceed.
    """
    # new / old as fractions, since 480 * (800 / 480) is not 800 on every machine
    new, old = min((shorter, min(height, width)), (longer, max(height, width)), key=lambda pair: pair[0] / pair[1])
    if canvas is not None:
        sides = ((new, old), (canvas[0], height), (canvas[1], width))
        new, old = min(sides, key=lambda pair: pair[0] / pair[1])
    return max(1, height * new // old), max(1, width * new // old)


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize bilinearly, without antialiasing.

    Args:
        image: (H, W, 3), uint8 or float32.
        size: the new (h, w).

    Returns:
        (h, w, 3) float32.
    """
    pixels = image.astype(np.float32)
    if pixels.shape[:2] == size:
        return pixels
    return cv2.resize(pixels, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)


def normalize(image: np.ndarray, mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """Subtract the mean of each channel and divide by its standard deviation.

    Args:
        image: (h, w, 3) float32, values from 0 to 255.
        mean: per channel, of values from 0 to 1.
        std: per channel, of values from 0 to 1.

    Returns:
        (3, h, w) float32.
    """
    shifts, factors = (np.asarray(values, np.float32) for values in (mean, std))
    planes = zip(cv2.split(image), shifts, factors, strict=True)  # three times as fast as all at once
    return np.stack([(plane * np.float32(1 / 255) - shift) / factor for plane, shift, factor in planes])


@dataclass(frozen=True)
class Placement:
    """How images of a run get onto their canvases.

    Attributes:
        canvases: the shapes.
        shorter: lengths of the shorter side; training draws one of them, evaluation takes the largest.
        longer: longest longer side.
        mean: per channel, of values from 0 to 1.
        std: per channel, of values from 0 to 1.
        flip: whether training mirrors half of the images.
    """

    canvases: Canvases
    shorter: tuple[int, ...]
    longer: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    flip: bool = True

    def place(
        self, pixels: np.ndarray, objects: Objects | None = None, rng: np.random.Generator | None = None, *,
        image_id: int = 0, index: int = 0,
    ) -> Sample:  # fmt: skip
        """Put an image onto its canvas.

        Args:
            pixels: (H, W, 3) uint8 RGB.
            objects: in its frame (default: none are known).
            rng: draws size and mirroring; None: as in evaluation.
            image_id: as in the data set.
            index: number of the image in the data set.
        """
        height, width = pixels.shape[:2]
        objects = no_objects((height, width)) if objects is None else objects
        shorter, flipped = self._draw(rng)
        canvas = self.canvases.of(height, width)
        size = resized_size(height, width, shorter, self.longer, canvas)
        scale = size[0] / height, size[1] / width
        resized, moved = resize(pixels, size), objects.resized(*scale, size)
        if flipped:
            resized, moved = cv2.flip(resized, 1), moved.flipped()
        image = np.zeros((3, *canvas), np.float32)
        image[:, : size[0], : size[1]] = normalize(resized, self.mean, self.std)
        return Sample(image, size, scale, flipped, (height, width), image_id, index, moved)

    def _draw(self, rng: np.random.Generator | None) -> tuple[int, bool]:
        if rng is None:
            return max(self.shorter), False
        side = self.shorter[int(rng.integers(len(self.shorter)))]
        mirrored = bool(rng.random() < _FLIP)  # drawn in any case: other options keep the sizes
        return side, mirrored and self.flip


def _rounded_up(side: int) -> int:
    return -(-side // MULTIPLE) * MULTIPLE
