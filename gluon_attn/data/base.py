"""What a data set is to the rest of the package: two sets of images and the facts that go with them.

A set of images has `len()`, `size` (height and width of each), and `take(indices, rng, size)`, which returns (images
(B, H, W, 3) uint8 RGB, labels (B,) int32, complaints): a complaint is one line about an image that cannot be read
and was left out; `size` is a smaller (H, W) for these images, or None. `class_numbers()` is the label of each image, -1
of one that cannot be read; `fitted_as(other)` is the set with its images cut as those of `other`. `ArraySet` holds
its images in memory, `photos.PhotoSet` reads them when they are taken.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from ..registry import Registry

#: name -> function (DataConfig, seed) -> Source
DATASETS = Registry("dataset")


@dataclass(frozen=True)
class ArraySet:
    """Images (N, H, W, 3) uint8 in RGB and labels (N,) int32. Both arrays are made read-only."""

    images: np.ndarray
    labels: np.ndarray

    def __post_init__(self):
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or self.images.shape[3] != 3:
            raise ValueError(f"images {self.images.dtype} {self.images.shape}, not uint8 (N, H, W, 3)")
        if self.labels.dtype != np.int32 or self.labels.shape != self.images.shape[:1]:
            raise ValueError(f"labels {self.labels.dtype} {self.labels.shape}, not int32 (N,)")
        for array in (self.images, self.labels):
            array.setflags(write=False)

    def __len__(self):
        return len(self.labels)

    @property
    def size(self):
        """(H, W)."""
        return self.images.shape[1:3]

    def class_numbers(self):
        """Its labels."""
        return self.labels

    def fitted_as(self, other):
        """Itself: nothing is cut here."""
        return self

    def take(self, indices, rng, size=None):
        """Images and labels at `indices`; nothing is random or unreadable here."""
        images = self.images[indices]
        if size:
            images = np.stack([cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA) for image in images])
        return images, self.labels[indices], []


@dataclass(frozen=True)
class Part:
    """The images of another set at `indices`, an array of whole numbers."""

    whole: object
    indices: np.ndarray

    def __len__(self):
        return len(self.indices)

    @property
    def size(self):
        """(H, W)."""
        return self.whole.size

    def take(self, indices, rng, size=None):
        """Images and labels at these places among `indices`."""
        return self.whole.take(self.indices[indices], rng, size)


@dataclass(frozen=True)
class Source:
    """A data set before any batching.

    `train` and `val` are sets of images, see above. `mean` and `std` are per channel, on pixels from 0 to 1; `flip`: a
    mirrored image keeps its class. `photographs`: `train` crops at random and photographs' colour changes are usual.
    """

    name: str
    train: object
    val: object
    class_names: tuple
    mean: tuple
    std: tuple
    flip: bool
    photographs: bool = False

    @property
    def classes(self):
        """Number of classes."""
        return len(self.class_names)

    @property
    def input_shape(self):
        """(3, H, W), as the network gets it."""
        return (3, *self.train.size)
