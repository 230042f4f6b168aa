"""scikit-learn's 1,797 handwritten digits (UCI, Alpaydin & Kaynak 1998), enlarged from 8x8 grey to 32x32 RGB.

The enlargement is one small matrix on each side, exact in binary: the arrays are the same on every machine.
"""

import numpy as np

from ..utils.errors import UserError
from .base import DATASETS, ArraySet, Source

SIDE = 32
#: mean and standard deviation of the training images' pixels, from 0 to 1
MEAN, STD = 0.3052, 0.3236
_TEST_SHARE = 0.2


@DATASETS.register("digits")
def digits(cfg, seed):
    """The fixed stratified split: 1,438 images to train on and 359 to test, the same whatever the seed."""
    images, labels = _load()
    train, val = split(labels)
    return Source(
        name="digits",
        train=ArraySet(images[train], labels[train]),
        val=ArraySet(images[val], labels[val]),
        class_names=tuple(str(digit) for digit in range(10)),
        mean=(MEAN,) * 3,
        std=(STD,) * 3,
        flip=False,
    )


def split(labels):
    """Indices (train, test), ascending. Of each class, shuffled, the last fifth is for the test."""
    shuffle, train, test = np.random.RandomState(0), [], []
    for label in np.unique(labels):
        members = shuffle.permutation(np.flatnonzero(labels == label))
        first = len(members) - round(_TEST_SHARE * len(members))
        train.append(members[:first])
        test.append(members[first:])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(test))


def enlarge(images, side):
    """Bilinear resizing of (N, h, w) to (N, side, side), pixel centres aligned, edges repeated."""
    vertical, horizontal = (_bilinear(length, side) for length in images.shape[1:])
    return vertical @ images @ horizontal.T


def _bilinear(old, new):
    """The (new, old) matrix whose rows hold the weights of the two nearest old pixels."""
    centre = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    return np.maximum(0, 1 - np.abs(centre[:, None] - np.arange(old)))


def _load():
    try:
        # Here, not above: scikit-learn takes a second to import.
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise UserError(f"the digits come with scikit-learn: pip install scikit-learn ({error})") from None
    bunch = load_digits()
    grey = np.rint(enlarge(bunch.images, SIDE) * (255 / 16)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=3), bunch.target.astype(np.int32)
