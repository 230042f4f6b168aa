"""Photographs of any size: decoded when they are taken, and cropped to the input size at once.

Decoding and resizing run outside Python's lock, so the loader's threads work in parallel.
"""

import contextlib
from typing import Protocol

import numpy as np

from ..utils.errors import UserError
from .base import ImageSet, Indices, Samples
from .crops import Crop, cut, fits, random_box, random_resized_crop, reduced, reduction
from .decode import decode, jpeg_size
from .image_notes import BadImage, Note, silent

_MORE_CLASSES = "set option classes"


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
        note: is told what is not as in the files, see `decode.decode`.
        advice: what to do about larger labels.
        scaled: JPEG files that are cropped at random are decoded at a part of their size where the crop is so much
            larger than `size`, see `crops.reduction`.
    """

    def __init__(
        self,
        files: EncodedImages,
        classes: int,
        size: int,
        crop: Crop,
        note: Note = silent,
        advice: str = _MORE_CLASSES,
        scaled: bool = False,
    ) -> None:
        self.files, self.size, self._scaled = files, (size, size), scaled
        self._classes, self._crop, self._note, self._advice = classes, crop, note, advice

    def __len__(self) -> int:
        return len(self.files)

    @property
    def labels(self) -> np.ndarray:
        """Label of every image, (N,) int32; -1 where it cannot be read."""
        return np.array([self._label(number) for number in range(len(self))], np.int32)

    def check_label(self, number: int, label: int) -> None:
        """Raise a `UserError` if `label`, that of image `number`, is none of the classes."""
        if label >= self._classes:
            has = f"{self.files.name(number)} has label {label}"
            raise UserError(f"{has}, but there are {self._classes} classes, counted from 0: {self._advice}")

    def _label(self, number: int) -> int:
        try:
            return self.files.label(number)
        except (BadImage, OSError):
            return -1

    def with_crop_of(self, other: ImageSet) -> "PhotoSet":
        """The same images, cropped as those of `other`, another `PhotoSet`."""
        if not isinstance(other, PhotoSet):
            raise TypeError(f"{type(other).__name__} has no crop")
        size = self.size[0]
        return PhotoSet(self.files, self._classes, size, other._crop, self._note, self._advice, other._scaled)

    def take(self, indices: Indices, rng: np.random.Generator | None, size: tuple[int, int] | None = None) -> Samples:
        """See `ImageSet.take`; crops are drawn from `rng`, image after image."""
        side = (size or self.size)[0]
        images = np.empty((len(indices), side, side, 3), np.uint8)
        labels: list[int] = []
        errors = []
        for number in indices:
            try:
                data, label = self.files.read(number)
                image = self._cropped(data, side, rng)
            except (BadImage, OSError) as error:
                errors.append(f"{self.files.name(number)}: {error}")
                continue
            self.check_label(number, label)
            images[len(labels)] = image
            labels.append(label)
        return images[: len(labels)], np.array(labels, np.int32), errors

    def _cropped(self, data: bytes, side: int, rng: np.random.Generator | None) -> np.ndarray:
        """The crop of one image. Of a JPEG file that is cropped at random, only what the crop needs is decoded."""
        size = jpeg_size(data) if self._crop is random_resized_crop else None
        if size and rng:
            before, image = rng.bit_generator.state, None
            box = random_box(*size, rng)
            factor = reduction(box, side) if self._scaled else 1
            with contextlib.suppress(BadImage):
                image = decode(data, self._note, factor, rows=box[0] + box[2])
            inner = reduced(box, factor)
            if image is not None and fits(inner, image):
                return cut(image, inner, side)
            rng.bit_generator.state = before  # as if nothing had been drawn
        return self._crop(decode(data, self._note), side, rng)
