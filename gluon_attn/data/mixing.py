"""Soft targets: label smoothing and mixup, as GluonCV's classification scripts compute them, and cutmix."""

import math

import numpy as np

#: share of the target that label smoothing spreads over all classes
SMOOTHING = 0.1


def soft_labels(labels, classes, eta=0.0):
    """Labels (B,) -> (B, classes) float32: 1 - eta + eta / classes on the label, eta / classes elsewhere.

    Szegedy et al. 2015, https://arxiv.org/abs/1512.00567; eta 0 gives one-hot rows.
    """
    soft = np.full((len(labels), classes), eta / classes, np.float32)
    soft[np.arange(len(labels)), labels] = 1 - eta + eta / classes
    return soft


def mixup(data, soft, lam):
    """Blend a batch and its soft labels with their own reverse: lam * x + (1 - lam) * x[::-1].

    Zhang et al. 2017, https://arxiv.org/abs/1710.09412; lam ~ Beta(alpha, alpha), one a batch.
    """
    lam, rest = np.float32(lam), np.float32(1 - lam)
    return lam * data + rest * data[::-1], lam * soft + rest * soft[::-1]


def cutmix(data, soft, lam, rng):
    """Paste a rectangle of each image of the reversed batch into the batch, labels mixed as the areas are.

    The rectangle has the image's proportions and the share 1 - lam of its area before it is clipped at the edges; its
    centre falls on any pixel, the same for the whole batch. Yun et al. 2019, https://arxiv.org/abs/1905.04899;
    lam ~ Beta(alpha, alpha), one a batch.
    """
    height, width = data.shape[2:]
    rows, columns = (_span(side, math.sqrt(1 - lam), rng) for side in (height, width))
    mixed = data.copy()
    mixed[:, :, rows, columns] = data[::-1, :, rows, columns]
    share = np.float32((rows.stop - rows.start) * (columns.stop - columns.start) / (height * width))
    return mixed, (1 - share) * soft + share * soft[::-1]


def _span(side, share, rng):
    """A slice of about side * share pixels around a random one, clipped."""
    length = round(side * share)
    start = int(rng.integers(0, side)) - length // 2
    return slice(max(start, 0), min(start + length, side))
