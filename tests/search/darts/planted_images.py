"""Images whose class only one candidate operation can detect, and loaders that draw new ones in each epoch."""

import mxnet as mx
import numpy as np

SIZE = 16


def correlated(count, distance, random):
    """(images (count,3,16,16), labels): noise of +-1 in which pixels `distance` apart in a row are correlated.

    In class 1 four of five such pairs are equal, in class 0 four of five are opposite. Single pixels, means, maxima
    and all other pairs have the same distribution in both classes.
    """
    labels = random.integers(0, 2, count)
    images = random.choice([-1.0, 1.0], (count, 3, SIZE, SIZE))
    for column in range(distance, SIZE):
        if column // distance % 2:  # pairs do not overlap, so that no other distance is informative
            kept = random.random((count, 3, SIZE)) < 0.8
            sign = np.where(kept, 1, -1) * np.where(labels, 1, -1)[:, None, None]
            images[..., column] = images[..., column - distance] * sign
    return images, labels


def paired(count, distance, random, pairs=6):
    """(images (count,3,16,16), labels): pairs of dots `distance` apart, horizontal in class 1, vertical in class 0.

    Pairs wrap around at the border, so dots are equally frequent everywhere in both classes, and no smaller
    neighbourhood distinguishes them.
    """
    labels, images = random.integers(0, 2, count), np.zeros((count, 3, SIZE, SIZE))
    for _ in range(pairs):
        near, far = random.integers(0, SIZE, (2, count))
        for step in (0, distance):
            away = (far + step) % SIZE
            images[np.arange(count), :, np.where(labels, near, away), np.where(labels, away, near)] = 1
    return images * 4 - 0.2, labels


class Batches:
    """A loader: each epoch has `count` new batches of 32 images, determined by seed and epoch."""

    def __init__(self, draw, distance, seed, count=8):
        self._draw, self._distance, self._seed, self._count = draw, distance, seed, count

    def __len__(self):
        return self._count

    def epoch(self, epoch, epochs=None):
        random = np.random.default_rng([self._seed, epoch])
        for _ in range(self._count):
            images, labels = self._draw(32, self._distance, random)
            yield mx.nd.array(images), mx.nd.array(labels)
