"""What a data set is to the rest of the package: two sets of labelled images and the facts about them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from ..config.data import DataConfig
from ..registry import Registry

#: (images (B, H, W, 3) uint8 RGB, labels (B,) int32, one line for each image that could not be read and was left out)
Samples = tuple[np.ndarray, np.ndarray, list[str]]
Indices = np.ndarray | Sequence[int]


class ImageSet(Protocol):
    """Labelled images of one size, in memory or in files. Implemented by `ArraySet`, `Subset` and `photos.PhotoSet`."""

    def __len__(self) -> int:
        """Number of images."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of every image."""
        ...

    @property
    def labels(self) -> np.ndarray:
        """Label of every image, (N,) int32; -1 where it cannot be read."""
        ...

    def take(self, indices: Indices, rng: np.random.Generator | None, size: tuple[int, int] | None = None) -> Samples:
        """Read some images.

        Args:
            indices: which ones, (B,).
            rng: source of everything random, such as the position of a crop; a set without randomness takes None.
            size: a smaller (H, W) for these images (default: the set's own).

        Returns:
            (images, labels, errors), see `Samples`. An image that cannot be read is in `errors` only.
        """
        ...

    def with_crop_of(self, other: "ImageSet") -> "ImageSet":
        """The same images, cropped to size as those of `other` are."""
        ...


@dataclass(frozen=True)
class ArraySet:
    """Images in memory. Both arrays are made read-only.

    Attributes:
        images: (N, H, W, 3) uint8, RGB.
        labels: (N,) int32.

    Raises:
        ValueError: an array has another dtype or shape.
    """

    images: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or self.images.shape[3] != 3:
            raise ValueError(f"images {self.images.dtype} {self.images.shape}, not uint8 (N, H, W, 3)")
        if self.labels.dtype != np.int32 or self.labels.shape != self.images.shape[:1]:
            raise ValueError(f"labels {self.labels.dtype} {self.labels.shape}, not int32 (N,)")
        for array in (self.images, self.labels):
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of every image."""
        return self.images.shape[1], self.images.shape[2]

    def take(self, indices: Indices, rng: np.random.Generator | None, size: tuple[int, int] | None = None) -> Samples:
        """See `ImageSet.take`; nothing is random or unreadable here. A smaller `size` averages over areas."""
        images = self.images[indices]
        if size:
            images = np.stack([cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA) for image in images])
        return images, self.labels[indices], []

    def with_crop_of(self, other: ImageSet) -> "ArraySet":
        """Return the set itself: its images have the input size already."""
        return self


@dataclass(frozen=True)
class Subset:
    """Some images of another set, as PyTorch's `Subset`.

    Attributes:
        images: the other set.
        indices: which of its images, (N,) integers.
    """

    images: ImageSet
    indices: np.ndarray

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of every image."""
        return self.images.size

    @property
    def labels(self) -> np.ndarray:
        """Label of every image, (N,) int32; -1 where it cannot be read."""
        return self.images.labels[self.indices]

    def take(self, indices: Indices, rng: np.random.Generator | None, size: tuple[int, int] | None = None) -> Samples:
        """See `ImageSet.take`; `indices` count within the subset."""
        return self.images.take(self.indices[indices], rng, size)

    def with_crop_of(self, other: ImageSet) -> "Subset":
        """The same images, cropped to size as those of `other` are."""
        whole = other.images if isinstance(other, Subset) else other
        return Subset(self.images.with_crop_of(whole), self.indices)


@dataclass(frozen=True)
class Dataset:
    """A data set before any batching.

    Attributes:
        name: as in `DataConfig.dataset`.
        train: images to train on.
        val: images to evaluate on.
        class_names: name of each class, in the order of the labels.
        mean: mean per channel, of pixels from 0 to 1.
        std: standard deviation per channel, of pixels from 0 to 1.
        flip: whether a mirrored image keeps its class.
        photographs: whether `train` crops at random, and the color changes that are usual for ImageNet are the default.
    """

    name: str
    train: ImageSet
    val: ImageSet
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    flip: bool
    photographs: bool = False

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(3, H, W), the shape of one image as the network gets it."""
        return (3, *self.train.size)


#: name -> function (DataConfig, seed) -> Dataset
DATASETS: Registry[Callable[[DataConfig, int], Dataset]] = Registry("dataset", extended=True)
