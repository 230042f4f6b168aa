"""Photographs of any size: decoded when they are taken, and cropped to the input size at once.

OpenCV decodes and resizes outside Python's lock, so the loader's threads work in parallel.
"""

import math
from collections.abc import Callable
from typing import Any, Protocol

import cv2
import numpy as np

from ..utils.errors import UserError
from .base import ImageSet, Indices, Samples

_TRIES = 10
#: (image (H, W, 3) uint8, size, rng or None) -> (size, size, 3) uint8
Crop = Callable[[np.ndarray, int, Any], np.ndarray]


class BadImage(Exception):
    """An image that cannot be read; the message is the reason."""


class EncodedImages(Protocol):
    """Encoded images with labels: `records.RecordFile` or `image_folder.ImageFolder`."""

    def __len__(self) -> int:
        """Number of images."""
        ...

    def read(self, number: int) -> tuple[bytes, int]:
        """(bytes of the image file, label) of image `number`; raises `BadImage` or `OSError`."""
        ...

    def label(self, number: int) -> int:
        """Class index of image `number` without decoding it; raises `BadImage` or `OSError`."""
        ...

    def name(self, number: int) -> str:
        """The name of image `number`, for messages."""
        ...


class PhotoSet:
    """An `ImageSet` whose images stay in their files.

    Args:
        files: the encoded images.
        classes: number of classes; larger labels are a `UserError` when the image is taken.
        size: height and width of the cropped images.
        crop: makes them from images of any size.
    """

    def __init__(self, files: EncodedImages, classes: int, size: int, crop: Crop) -> None:
        self._files, self._classes, self._crop = files, classes, crop
        self.size = (size, size)

    def __len__(self) -> int:
        return len(self._files)

    @property
    def labels(self) -> np.ndarray:
        """Label of every image, (N,) int32; -1 where it cannot be read."""
        return np.array([self._label(number) for number in range(len(self))], np.int32)

    def _label(self, number: int) -> int:
        try:
            return self._files.label(number)
        except (BadImage, OSError):
            return -1

    def with_crop_of(self, other: ImageSet) -> "PhotoSet":
        """The same images, cropped as those of `other`, another `PhotoSet`."""
        if not isinstance(other, PhotoSet):
            raise TypeError(f"{type(other).__name__} has no crop")
        return PhotoSet(self._files, self._classes, self.size[0], other._crop)

    def take(self, indices: Indices, rng: np.random.Generator | None, size: tuple[int, int] | None = None) -> Samples:
        """See `ImageSet.take`; crops are drawn from `rng`, image after image."""
        images, labels, errors = [], [], []
        for number in indices:
            try:
                data, label = self._files.read(number)
                image = decode(data)
            except (BadImage, OSError) as error:
                errors.append(f"{self._files.name(number)}: {error}")
                continue
            if label >= self._classes:
                name = self._files.name(number)
                raise UserError(f"{name} has label {label}, but there are {self._classes} classes: set option classes")
            images.append(self._crop(image, (size or self.size)[0], rng))
            labels.append(label)
        stacked = np.stack(images) if images else np.zeros((0, *(size or self.size), 3), np.uint8)
        return stacked, np.array(labels, np.int32), errors


def decode(data: bytes) -> np.ndarray:
    """Decode a JPEG or PNG file.

    Args:
        data: bytes of the file.

    Returns:
        (H, W, 3) uint8 RGB, turned as the EXIF entry says.

    Raises:
        BadImage: it is no such file, or not a whole one.
    """
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # no data, or a size that does not fit into memory
        image = None
    if image is None:
        raise BadImage("not a whole JPEG or PNG file")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def random_resized_crop(
    image: np.ndarray,
    size: int,
    rng: np.random.Generator,
    area: tuple[float, float] = (0.08, 1.0),
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
) -> np.ndarray:
    """A random crop of the image, resized (Szegedy et al. 2014, https://arxiv.org/abs/1409.4842).

    As Gluon's RandomResizedCrop: after ten crops that do not fit, the largest centered one with a ratio in `ratio`.

    Args:
        image: (H, W, 3) uint8.
        size: height and width of the result.
        rng: source of everything random.
        area: range of the crop's share of the image, drawn uniformly.
        ratio: range of width / height, whose logarithm is drawn uniformly.

    Returns:
        (size, size, 3) uint8.
    """
    height, width = image.shape[:2]
    for _ in range(_TRIES):
        share, shape = rng.uniform(*area), math.exp(rng.uniform(math.log(ratio[0]), math.log(ratio[1])))
        w, h = (round(math.sqrt(height * width * share * r)) for r in (shape, 1 / shape))
        if 0 < w <= width and 0 < h <= height:
            left, top = rng.integers(0, width - w + 1), rng.integers(0, height - h + 1)
            return _resized(image[top : top + h, left : left + w], size, size)
    w, h = min(width, round(height * ratio[1])), min(height, round(width / ratio[0]))
    return _resized(_centered(image, h, w), size, size)


def center_crop(
    image: np.ndarray, size: int, rng: np.random.Generator | None = None, ratio: float = 0.875
) -> np.ndarray:
    """Resize the shorter side to size / ratio, rounded up, and crop the center.

    Args:
        image: (H, W, 3) uint8.
        size: height and width of the result.
        rng: not used.
        ratio: side of the crop over the shorter side (default 0.875).

    Returns:
        (size, size, 3) uint8.
    """
    height, width = image.shape[:2]
    shorter = math.ceil(size / ratio)
    scale = shorter / min(height, width)
    height, width = (max(shorter, round(side * scale)) for side in (height, width))
    return _centered(_resized(image, height, width), size, size)


def _resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)  # as Gluon's transforms


def _centered(image: np.ndarray, height: int, width: int) -> np.ndarray:
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]
