"""Random images in the shape of a data set, to measure training without reading files (as torchvision's FakeData)."""

from collections.abc import Iterator

import mxnet as mx
import numpy as np

from ..config.data import DataConfig
from ..utils.seed import generator
from .base import DATASETS
from .factory import DataLoaders, open_dataset
from .loader import Batch, Loader

#: data set -> (classes, height and width) where its options do not say
_SHAPES = {
    "digits": (10, 32), "mnist5k": (10, 32), "cifar10": (10, 32), "cifar100": (100, 32), "synthetic": (10, 32),
    "imagenet_rec": (1000, 224), "imagenet_folder": (1000, 224),
}  # fmt: skip
_WARM_UP = 2  # batches
_STREAM = 3  # of random numbers


class FakeLoader(Loader):
    """A loader that yields one batch again and again: `count` times per epoch, in epoch 0, the warm-up, at most twice.

    Args:
        batch: what it yields.
        count: batches per epoch.
    """

    def __init__(self, batch: Batch, count: int) -> None:
        self._batch, self._count = batch, count

    def __len__(self) -> int:
        return self._count

    def epoch(self, epoch: int, epochs: int | None = None) -> Iterator[Batch]:
        """Yield the batch; see `Loader.epoch`."""
        for _ in range(min(self._count, self._count if epoch else _WARM_UP)):
            yield self._batch


def build_fake(cfg: DataConfig, seed: int, devices: int, count: int) -> DataLoaders:
    """Loaders of normal noise in the shape of `cfg.dataset`; `val` is empty. Only the data set of a plugin is opened.

    Args:
        cfg: options of the data.
        seed: seed of the run.
        devices: number of devices; a batch holds `cfg.batch_size` images for each.
        count: batches per epoch.
    """
    classes, size = _shape(cfg, seed)
    classes, size = cfg.classes or classes, cfg.input_size or size
    shape, batch_size, rng = (3, size, size), cfg.batch_size * devices, generator(seed, _STREAM)
    images = mx.nd.array(rng.standard_normal((batch_size, *shape), np.float32), ctx=mx.cpu())
    labels = mx.nd.array(rng.integers(0, classes, batch_size), ctx=mx.cpu())
    return DataLoaders(
        name=cfg.dataset,
        train=FakeLoader((images, labels), count),
        val=FakeLoader((images, labels), 0),
        classes=classes,
        class_names=tuple(map(str, range(classes))),
        input_shape=shape,
        mean=(0.0,) * 3,
        std=(1.0,) * 3,
    )


def _shape(cfg: DataConfig, seed: int) -> tuple[int, int]:
    """(classes, height and width) of a data set."""
    name = DATASETS.resolve(cfg.dataset)
    if name in _SHAPES:
        return _SHAPES[name]
    dataset = open_dataset(cfg, seed)
    return dataset.classes, dataset.input_shape[1]
