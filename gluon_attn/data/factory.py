"""From a `DataConfig` to loaders."""

import functools
from dataclasses import dataclass

import numpy as np

from . import cifar, digits, synthetic  # noqa: F401  (each registers its sets)
from .base import DATASETS
from .loader import Loader
from .mixing import SMOOTHING, mixup, soft_labels
from .transforms import cutout, normalize, random_crop, random_flip


@dataclass(frozen=True)
class Data:
    """What a run needs to know of its data; the fields mean the same as in `base.Source`."""

    name: str
    train: Loader
    val: Loader
    classes: int
    class_names: tuple
    input_shape: tuple
    mean: tuple
    std: tuple


def open_source(cfg, seed):
    """The arrays of `cfg.dataset` as a `Source`; only `synthetic` uses `seed`. `UserError` on bad files."""
    return DATASETS.get(cfg.dataset)(cfg, seed)


def build(cfg, seed, devices=1, rank=0, size=1):
    """`Data` for process `rank` of `size`; a batch holds `cfg.batch_size` images for each of `devices`."""
    source = open_source(cfg, seed)
    common = {"seed": seed, "num_workers": cfg.num_workers, "rank": rank, "size": size}
    batch_size = cfg.batch_size * devices
    return Data(
        name=source.name,
        train=Loader(source.train, batch_size, _for_training(cfg, source), train=True, **common),
        val=Loader(source.val, batch_size, _for_validation(source), train=False, **common),
        classes=source.classes,
        class_names=source.class_names,
        input_shape=source.input_shape,
        mean=source.mean,
        std=source.std,
    )


def _for_validation(source):
    def prepare(images, labels, rng, epoch, epochs):
        return normalize(images, source.mean, source.std), labels.astype(np.float32)

    return prepare


def _for_training(cfg, source):
    augment, target = _augment(cfg, source), _target(cfg, source.classes)

    def prepare(images, labels, rng, epoch, epochs):
        return target(augment(images, rng), labels, rng, epoch, epochs)

    return prepare


def _augment(cfg, source):
    """Function (images uint8, rng) -> data float32, from the options."""
    flip = source.flip if cfg.flip is None else cfg.flip
    steps = [functools.partial(random_crop, padding=cfg.crop_padding)] if cfg.crop_padding else []
    steps += [random_flip] if flip else []

    def augment(images, rng):
        for step in steps:
            images = step(images, rng=rng)
        data = normalize(images, source.mean, source.std)
        return cutout(data, cfg.cutout_length, rng) if cfg.cutout else data

    return augment


def _target(cfg, classes):
    """Function (data, labels, rng, epoch, epochs) -> (data, label), from the options."""
    eta = SMOOTHING if cfg.label_smoothing else 0.0

    def target(data, labels, rng, epoch, epochs):
        if not (cfg.mixup or cfg.label_smoothing):
            return data, labels.astype(np.float32)
        soft = soft_labels(labels, classes, eta)
        if cfg.mixup and (epochs is None or epoch < epochs - cfg.mixup_off_epoch):
            return mixup(data, soft, rng.beta(cfg.mixup_alpha, cfg.mixup_alpha))
        return data, soft

    return target
