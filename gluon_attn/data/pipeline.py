"""From the options of the data to what happens to a batch between an image set and the network."""

import functools
from collections.abc import Callable, Iterator

import numpy as np

from ..config.data import DataConfig
from .auto_augment import auto_augment
from .base import Dataset
from .loader import Prepare
from .mixing import Pair, make_targets
from .rand_augment import rand_augment
from .transforms import color_jitter, cutout, normalize, random_crop, random_erasing, random_flip

#: GluonCV's strength of jitter and PCA noise for ImageNet
_PHOTO_JITTER, _PHOTO_NOISE = 0.4, 0.1


def for_evaluation(dataset: Dataset) -> Prepare:
    """The `prepare` of a loader for evaluation: pixels are normalized and labels become float32, nothing else.

    Args:
        dataset: gives mean and standard deviation.
    """

    def prepare(
        images: np.ndarray, labels: np.ndarray, rng: np.random.Generator, epoch: int, epochs: int | None
    ) -> Pair:
        return normalize(images, dataset.mean, dataset.std), labels.astype(np.float32)

    return prepare


def for_training(cfg: DataConfig, dataset: Dataset) -> Prepare:
    """The `prepare` of a loader for training: augmentation, then targets.

    Args:
        cfg: options of the data.
        dataset: gives mean, standard deviation, classes and default augmentation.
    """
    augment, targets = make_augmentation(cfg, dataset), make_targets(cfg, dataset.classes)

    def prepare(
        images: np.ndarray, labels: np.ndarray, rng: np.random.Generator, epoch: int, epochs: int | None
    ) -> Pair:
        return targets(augment(images, rng), labels, rng, epoch, epochs)

    return prepare


def make_augmentation(cfg: DataConfig, dataset: Dataset) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    """The augmentation that the options ask for.

    Args:
        cfg: options of the data; `flip`, `color_jitter` and `pca_noise` left at None follow the data set.
        dataset: gives mean, std and these defaults.

    Returns:
        A function (images (B, H, W, 3) uint8, rng) -> data (B, 3, H, W) float32.
    """
    steps = tuple(_pixel_steps(cfg, dataset))

    def augment(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        for step in steps:
            images = step(images, rng=rng)
        data = normalize(images, dataset.mean, dataset.std)
        if cfg.cutout:
            data = cutout(data, cfg.cutout_length, rng)
        return random_erasing(data, cfg.random_erasing, rng) if cfg.random_erasing else data

    return augment


def _pixel_steps(cfg: DataConfig, dataset: Dataset) -> Iterator[Callable[..., np.ndarray]]:
    """Functions (images uint8, rng=) -> images uint8, in the order of application."""
    usual = (_PHOTO_JITTER, _PHOTO_NOISE) if dataset.photographs else (0.0, 0.0)
    given = (cfg.color_jitter, cfg.pca_noise)
    jitter, noise = (default if value is None else value for value, default in zip(given, usual, strict=True))
    if cfg.crop_padding and not dataset.photographs:
        yield functools.partial(random_crop, padding=cfg.crop_padding)
    if dataset.flip if cfg.flip is None else cfg.flip:
        yield random_flip
    if cfg.rand_augment:
        count, magnitude = cfg.rand_augment
        yield functools.partial(rand_augment, count=count, magnitude=magnitude)
    if cfg.aa:
        yield functools.partial(auto_augment, policy=cfg.aa)
    if jitter or noise:
        yield functools.partial(color_jitter, jitter=jitter, noise=noise)
