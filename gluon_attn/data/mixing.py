"""Soft targets: label smoothing, mixup and cutmix, the first two computed as in GluonCV's classification scripts."""

import math
from collections.abc import Callable

import numpy as np

from ..config.data import DataConfig

#: share of the target that label smoothing spreads over all classes
SMOOTHING = 0.1
#: (data (B, 3, H, W) float32, target (B,) or (B, classes) float32)
Pair = tuple[np.ndarray, np.ndarray]
#: (data, labels (B,) int32, rng, epoch, epochs of the run or None) -> (data, target)
TargetFunction = Callable[[np.ndarray, np.ndarray, np.random.Generator, int, int | None], Pair]


def make_targets(cfg: DataConfig, classes: int) -> TargetFunction:
    """The function that makes the training targets of a batch, after `mixup`, `cutmix` and `label_smoothing`.

    With both mixup and cutmix on, each batch gets one of them with probability 0.5. The last `mixup_off_epoch` epochs
    of a run have neither.

    Args:
        cfg: options of the data.
        classes: number of classes.

    Returns:
        A `TargetFunction`. Its target is float32: class indices (B,) with all three off, else (B, classes).
    """
    eta = SMOOTHING if cfg.label_smoothing else 0.0

    def targets(data: np.ndarray, labels: np.ndarray, rng: np.random.Generator, epoch: int, epochs: int | None) -> Pair:
        if not (cfg.mixup or cfg.cutmix or cfg.label_smoothing):
            return data, labels.astype(np.float32)
        soft = soft_labels(labels, classes, eta)
        if epochs is not None and epoch >= epochs - cfg.mixup_off_epoch:
            return data, soft
        if cfg.cutmix and not (cfg.mixup and rng.random() < 0.5):
            return cutmix(data, soft, rng.beta(cfg.cutmix_alpha, cfg.cutmix_alpha), rng)
        return mixup(data, soft, rng.beta(cfg.mixup_alpha, cfg.mixup_alpha)) if cfg.mixup else (data, soft)

    return targets


def soft_labels(labels: np.ndarray, classes: int, eta: float = 0.0) -> np.ndarray:
    """Smoothed one-hot labels: 1 - eta + eta / classes on the label, eta / classes elsewhere.

    Szegedy et al. 2015, https://arxiv.org/abs/1512.00567.

    Args:
        labels: (B,) class indices.
        classes: number of classes.
        eta: share that is spread over all classes; 0 gives one-hot rows.

    Returns:
        (B, classes) float32.
    """
    soft = np.full((len(labels), classes), eta / classes, np.float32)
    soft[np.arange(len(labels)), labels] = 1 - eta + eta / classes
    return soft


def mixup(data: np.ndarray, soft: np.ndarray, lam: float) -> Pair:
    """Blend a batch and its soft labels with the reversed batch: lam * x + (1 - lam) * x[::-1].

    Zhang et al. 2017, https://arxiv.org/abs/1710.09412.

    Args:
        data: (B, 3, H, W) float32.
        soft: (B, classes) float32.
        lam: drawn from Beta(alpha, alpha), one per batch.

    Returns:
        (data, soft labels), new arrays.
    """
    own, other = np.float32(lam), np.float32(1 - lam)
    return own * data + other * data[::-1], own * soft + other * soft[::-1]


def cutmix(data: np.ndarray, soft: np.ndarray, lam: float, rng: np.random.Generator) -> Pair:
    """Paste a rectangle of each image of the reversed batch into the batch; labels are mixed as the areas are.

    The rectangle has the image's proportions and the share 1 - lam of its area before it is clipped at the edges; its
    center falls on any pixel, the same for the whole batch. Yun et al. 2019, https://arxiv.org/abs/1905.04899.

    Args:
        data: (B, 3, H, W) float32.
        soft: (B, classes) float32.
        lam: drawn from Beta(alpha, alpha), one per batch.
        rng: source of the center.

    Returns:
        (data, soft labels), new arrays.
    """
    height, width = data.shape[2:]
    rows, columns = (_span(side, math.sqrt(1 - lam), rng) for side in (height, width))
    mixed = data.copy()
    mixed[:, :, rows, columns] = data[::-1, :, rows, columns]
    share = (rows.stop - rows.start) * (columns.stop - columns.start) / (height * width)
    return mixed, (1 - share) * soft + share * soft[::-1]


def _span(side: int, share: float, rng: np.random.Generator) -> slice:
    """A slice of about side * share pixels around a random one, clipped."""
    length = round(side * share)
    start = int(rng.integers(0, side)) - length // 2
    return slice(max(start, 0), min(start + length, side))
