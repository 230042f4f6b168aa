"""One batch over and over: what training takes where images cost nothing."""

import mxnet as mx
import numpy as np

from ..utils.seed import generator
from .factory import Data

#: data set -> (classes, height and width) where its options do not say; all others are as ImageNet
_SHAPES = {"digits": (10, 32), "cifar10": (10, 32), "cifar100": (100, 32), "synthetic": (10, 32)}
_WARM_UP = 2
_STREAM = 3  # of random numbers


class Repeated:
    """A loader whose epochs are the same batch `count` times; in epoch 0, when kernels are chosen, a few times."""

    def __init__(self, data, label, count):
        self._batch, self._count = (data, label), count

    def __len__(self):
        return self._count

    def epoch(self, epoch, epochs=None):
        """Yield `(data, label)` as a `Loader` does."""
        for _ in range(min(self._count, self._count if epoch else _WARM_UP)):
            yield self._batch


def repeated(cfg, seed, devices, count):
    """`Data` of random numbers in the shape of `cfg.dataset`, whose files are not opened; none to test on."""
    classes, size = _SHAPES.get(cfg.dataset, (1000, 224))
    classes, shape = cfg.classes or classes, (3, *[cfg.input_size or size] * 2)
    images, rng = cfg.batch_size * devices, generator(seed, _STREAM)
    data = mx.nd.array(rng.standard_normal((images, *shape), np.float32), ctx=mx.cpu())
    label = mx.nd.array(rng.integers(0, classes, images), ctx=mx.cpu())
    return Data(
        name=cfg.dataset,
        train=Repeated(data, label, count),
        val=Repeated(data, label, 0),
        classes=classes,
        class_names=tuple(map(str, range(classes))),
        input_shape=shape,
        mean=(0.0,) * 3,
        std=(1.0,) * 3,
    )
