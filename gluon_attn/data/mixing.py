"""Soft targets: label smoothing and mixup, as GluonCV's classification scripts compute them."""

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
