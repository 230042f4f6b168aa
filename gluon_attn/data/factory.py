"""From a `DataConfig` to loaders."""

import dataclasses
import functools
from dataclasses import dataclass

import numpy as np

from ..utils.errors import UserError
from ..utils.seed import derive, generator
from . import cifar, digits, imagenet_folder, imagenet_rec, synthetic  # noqa: F401  (each registers its sets)
from .base import DATASETS, Part
from .color import change_color
from .hold_out import hold_out
from .loader import Loader
from .mixing import SMOOTHING, cutmix, mixup, soft_labels
from .rand_augment import rand_augment
from .transforms import cutout, normalize, random_crop, random_erasing, random_flip

_OTHERS = 31  # random stream of the images that mixing weights learn from


@dataclass(frozen=True)
class Data:
    """What a run needs to know of its data; the fields mean the same as in `base.Source`.

    smaller: (height, width) of smaller images that `train` begins with.
    """

    name: str
    train: Loader
    val: Loader
    classes: int
    class_names: tuple
    input_shape: tuple
    mean: tuple
    std: tuple
    smaller: tuple = ()


def open_source(cfg, seed):
    """The images of `cfg.dataset` as a `Source`; only `synthetic` uses `seed`. `UserError` on bad files.

    With `cfg.hold_out` its test images are training images that were kept apart, see `hold_out`.
    """
    source = DATASETS.get(cfg.dataset)(cfg, seed)
    return hold_out(source, cfg.hold_out) if cfg.hold_out else source


def build(cfg, seed, devices=1, rank=0, size=1):
    """`Data` for process `rank` of `size`; a batch holds `cfg.batch_size` images for each of `devices`."""
    return _loaders(cfg, open_source(cfg, seed), seed, devices, rank, size)


def _loaders(cfg, source, seed, devices, rank, size):
    common = {"seed": seed, "num_workers": cfg.num_workers, "max_bad": cfg.max_bad_images, "rank": rank, "size": size}
    batch_size, smaller = cfg.batch_size * devices, _smaller(cfg, source)
    return Data(
        name=source.name,
        train=Loader(source.train, batch_size, _for_training(cfg, source), train=True, sizes=smaller, **common),
        val=Loader(source.val, batch_size, _for_validation(source), train=False, **common),
        classes=source.classes,
        class_names=source.class_names,
        input_shape=source.input_shape,
        mean=source.mean,
        std=source.std,
        smaller=smaller,
    )


def build_test(cfg, seed, count=None):
    """(`Source`, loader of its test images for one process); `count` of them, drawn by `seed` (default all)."""
    source = open_source(cfg, seed)
    images = source.val
    if count is not None and count < len(images):
        images = Part(images, np.sort(generator(seed, count).permutation(len(images))[:count]))
    common = {"seed": seed, "num_workers": cfg.num_workers, "max_bad": cfg.max_bad_images}
    return source, Loader(images, cfg.batch_size, _for_validation(source), train=False, **common)


def build_parts(cfg, seed, portion, devices=1, rank=0, size=1):
    """(`Data`, loader) for a search, of the training images alone, as `build` makes them.

    The first `portion` of them is `train`, the others are `val`; the loader has these as training images: changed at
    random and in random order. Both references split so, in the order of the data set.
    """
    source = open_source(cfg, seed)
    count = len(source.train)
    first = int(portion * count)
    if not 0 < first < count:
        raise UserError(f"--train-portion {portion} leaves {first} of {count} images to learn from: change it")
    parts = [Part(source.train, indices) for indices in np.split(np.arange(count), [first])]
    halves = [dataclasses.replace(source, train=parts[i], val=parts[1]) for i in (0, 1)]
    seeds = seed, derive(seed, _OTHERS)  # else both would come in one order
    first, second = (_loaders(cfg, *pair, devices, rank, size) for pair in zip(halves, seeds, strict=True))
    return first, second.train


def _smaller(cfg, source):
    """(height, width) of each of `cfg.progressive_size`."""
    height, width = source.input_shape[1:]
    sizes = cfg.progressive_size or ()
    if sizes and sizes[-1] >= min(height, width):
        raise UserError(
            f"--progressive-size must stay below {height}, the size that the last epochs train with, got {sizes[-1]}"
        )
    return tuple((size, size) for size in sizes)


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
    steps = tuple(_pixel_steps(cfg, source))

    def augment(images, rng):
        for step in steps:
            images = step(images, rng=rng)
        data = normalize(images, source.mean, source.std)
        if cfg.cutout:
            data = cutout(data, cfg.cutout_length, rng)
        return random_erasing(data, cfg.random_erasing, rng) if cfg.random_erasing else data

    return augment


def _pixel_steps(cfg, source):
    """Functions (images uint8, rng=) -> images uint8, in their order."""
    usual = (0.4, 0.1) if source.photographs else (0, 0)  # GluonCV's for ImageNet
    given = (cfg.color_jitter, cfg.pca_noise)
    jitter, noise = (default if value is None else value for value, default in zip(given, usual, strict=True))
    if cfg.crop_padding and not source.photographs:
        yield functools.partial(random_crop, padding=cfg.crop_padding)
    if source.flip if cfg.flip is None else cfg.flip:
        yield random_flip
    if cfg.rand_augment:
        count, magnitude = cfg.rand_augment
        yield functools.partial(rand_augment, count=count, magnitude=magnitude)
    if jitter or noise:
        yield functools.partial(change_color, jitter=jitter, noise=noise)


def _target(cfg, classes):
    """Function (data, labels, rng, epoch, epochs) -> (data, label), from the options."""
    eta = SMOOTHING if cfg.label_smoothing else 0.0

    def target(data, labels, rng, epoch, epochs):
        if not (cfg.mixup or cfg.cutmix or cfg.label_smoothing):
            return data, labels.astype(np.float32)
        soft = soft_labels(labels, classes, eta)
        if epochs is not None and epoch >= epochs - cfg.mixup_off_epoch:
            return data, soft
        if cfg.cutmix and not (cfg.mixup and rng.random() < 0.5):
            return cutmix(data, soft, rng.beta(cfg.cutmix_alpha, cfg.cutmix_alpha), rng)
        return mixup(data, soft, rng.beta(cfg.mixup_alpha, cfg.mixup_alpha)) if cfg.mixup else (data, soft)

    return target
