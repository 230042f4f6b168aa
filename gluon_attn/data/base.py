"""What a data set is to the rest of the package: two sets of arrays and the facts that go with them."""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Source:
    """A data set before any batching.

    `mean` and `std` are per channel, on pixels from 0 to 1; `flip`: a mirrored image keeps its class.
    """

    name: str
    train: ArraySet
    val: ArraySet
    class_names: tuple
    mean: tuple
    std: tuple
    flip: bool

    @property
    def classes(self):
        """Number of classes."""
        return len(self.class_names)

    @property
    def input_shape(self):
        """(3, H, W), as the network gets it."""
        return (3, *self.train.images.shape[1:3])
