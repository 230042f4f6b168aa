"""A loader of images that are filled with their number, shared by the tests of `data.loader`."""

import numpy as np

from gluon_attn.data.base import ArraySet
from gluon_attn.data.loader import Loader


def arrays(count):
    """Image k is filled with k, label k is k."""
    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None]
    return ArraySet(np.tile(pixels, (1, 2, 2, 3)), np.arange(count, dtype=np.int32))


def noisy(images, labels, rng, epoch, epochs):
    """A stand-in for augmentation: adds random numbers."""
    data = images.transpose(0, 3, 1, 2) + rng.random((len(images), 3, 2, 2), np.float32) / 2
    return data.astype(np.float32), labels.astype(np.float32)


def loader(count=50, batch_size=8, train=True, prepare=noisy, seed=3, **options):
    return Loader(arrays(count), batch_size, prepare, train=train, seed=seed, **options)
