"""scikit-learn's 1,797 handwritten digits (UCI, Alpaydin & Kaynak 1998), resized from 8x8 gray to 32x32 RGB.

The resizing is a product with one small matrix on each side, exact in binary: the arrays are the same on every machine.
"""

import numpy as np

from ..config.data import DataConfig
from ..utils.errors import UserError
from .base import DATASETS, ArraySet, Dataset

SIDE = 32
MOST = 16  # value of ink in scikit-learn's images
#: mean and standard deviation of the training images' pixels, from 0 to 1
MEAN, STD = 0.3052, 0.3236
_TEST_SHARE = 0.2


@DATASETS.register("digits")
def digits(cfg: DataConfig, seed: int) -> Dataset:
    """Handwritten digits of scikit-learn: 1,438 training and 359 test images of 32x32, the same split for every seed.

    Args:
        cfg: not used.
        seed: not used.
    """
    images, labels = load()
    gray = np.rint(enlarge(images, SIDE) * (255 / MOST)).astype(np.uint8)
    images = np.repeat(gray[..., None], 3, axis=3)
    train, val = split(labels)
    return dataset_of_digits("digits", images, labels, train, val, MEAN, STD)


def dataset_of_digits(
    name: str, images: np.ndarray, labels: np.ndarray, train: np.ndarray, val: np.ndarray, mean: float, std: float
) -> Dataset:
    """A data set of ten digits, which are not mirrored.

    Args:
        name: of the data set.
        images: (N, 32, 32, 3) uint8.
        labels: (N,) int32.
        train, val: indices of the training and the test images.
        mean, std: of the training images' pixels, from 0 to 1.
    """
    return Dataset(
        name=name,
        train=ArraySet(images[train], labels[train]),
        val=ArraySet(images[val], labels[val]),
        class_names=tuple(str(digit) for digit in range(10)),
        mean=(mean,) * 3,
        std=(std,) * 3,
        flip=False,
    )


def split(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ascending indices of the training and the test images: of each class, shuffled, the last fifth is for the test.

    Args:
        labels: (N,) integers.

    Returns:
        (train, test), together all of 0 ... N - 1.
    """
    shuffle = np.random.RandomState(0)
    train, test = [], []
    for label in np.unique(labels):
        members = shuffle.permutation(np.flatnonzero(labels == label))
        first = len(members) - round(_TEST_SHARE * len(members))
        train.append(members[:first])
        test.append(members[first:])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(test))


def enlarge(images: np.ndarray, side: int) -> np.ndarray:
    """Bilinear resizing of `images` (N, h, w) to (N, side, side), pixel centers aligned, edges repeated."""
    vertical, horizontal = (_bilinear(length, side) for length in images.shape[1:])
    return vertical @ images @ horizontal.T


def _bilinear(old: int, new: int) -> np.ndarray:
    """The (new, old) matrix whose rows hold the weights of the two nearest old pixels."""
    center = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    return np.maximum(0, 1 - np.abs(center[:, None] - np.arange(old)))


def load() -> tuple[np.ndarray, np.ndarray]:
    """The digits as they come.

    Returns:
        (images (N, 8, 8) float64 from 0, the paper, to `MOST`, labels (N,) int32).

    Raises:
        UserError: scikit-learn is missing.
    """
    try:
        # imported here because scikit-learn takes a second
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise UserError(f"the digits come with scikit-learn: pip install scikit-learn ({error})") from None
    bunch = load_digits()
    return bunch.images, bunch.target.astype(np.int32)
