"""From a `DataConfig` to data sets and loaders."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..config.data import DataConfig
from ..utils.errors import UserError
from ..utils.seed import derive
from . import cifar, digits, imagenet, mnist5k, synthetic  # noqa: F401  (each registers its sets)
from .base import DATASETS, Dataset
from .label_checks import check_labels
from .loader import Loader
from .pipeline import for_evaluation, for_training
from .splits import hold_out, sample, split_off, split_training_images

_ARCHITECTURE = 31  # random stream of the images that architecture parameters learn from


@dataclass(frozen=True)
class DataLoaders:
    """The loaders of a run and the facts about their data set; see `base.Dataset` for those of the same name.

    Attributes:
        train: training batches.
        val: evaluation batches.
        classes: number of classes.
        progressive_sizes: (H, W) of the smaller images that `train` begins with.
        scaled_decode: whether `train` decodes JPEG files at a part of their size.
    """

    name: str
    train: Loader
    val: Loader
    classes: int
    class_names: tuple[str, ...]
    input_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    progressive_sizes: tuple[tuple[int, int], ...] = ()
    scaled_decode: bool = False


#: function (DataConfig, seed) -> Dataset
Opener: TypeAlias = Callable[[DataConfig, int], Dataset]


def register_dataset(name: str, *aliases: str) -> Callable[[Opener], Opener]:
    """Decorator that makes a data set of your own known by its name, as option dataset.

    Args:
        name: the name; the `Dataset` has it, too.
        aliases: further names.

    Returns:
        A decorator of a function (DataConfig, seed) -> `Dataset`, which it returns as it is.

    Raises:
        ValueError: one of the names is taken.
    """
    return DATASETS.register(name, *aliases)


def open_dataset(cfg: DataConfig, seed: int) -> Dataset:
    """The images of `cfg.dataset`; with `cfg.val_share` or `cfg.hold_out` its `val` are training images, see `splits`.

    Args:
        cfg: options of the data.
        seed: seed of the run; only `synthetic` uses it.

    Raises:
        UserError: the set is unknown, a file is missing or broken, or a plugin gives no `Dataset`.
    """
    dataset = DATASETS.get(cfg.dataset)(cfg, seed)
    if not isinstance(dataset, Dataset) or dataset.name != DATASETS.resolve(cfg.dataset):
        got = f"one named {dataset.name!r}" if isinstance(dataset, Dataset) else repr(dataset)
        raise UserError(f"dataset {cfg.dataset!r} must give a gluon_attn.Dataset of its own name, got {got}")
    dataset = split_off(dataset, cfg.val_share, cfg.val_seed) if cfg.val_share else dataset
    return hold_out(dataset, cfg.hold_out) if cfg.hold_out else dataset


def build(cfg: DataConfig, seed: int, devices: int = 1, rank: int = 0, size: int = 1) -> DataLoaders:
    """The loaders of a run.

    Args:
        cfg: options of the data.
        seed: seed of the run.
        devices: number of devices of this process; a batch holds `cfg.batch_size` images for each.
        rank: number of this process.
        size: number of processes.

    Raises:
        UserError: as `open_dataset`, or there are fewer training images than processes or repeats, or a label is no
            class.
    """
    dataset = open_dataset(cfg, seed)
    if not len(dataset.train):
        raise UserError(f"option val_share {cfg.val_share:g} leaves no images to train on: take a smaller share")
    check_labels(dataset, counted=cfg.classes is not None)
    return _loaders(cfg, dataset, seed, devices, rank, size)


def build_test(cfg: DataConfig, seed: int, count: int | None = None) -> tuple[Dataset, Loader]:
    """A data set and the loader of its test images for one process.

    Args:
        cfg: options of the data.
        seed: seed of the run.
        count: evaluate on so many images, drawn by `seed` (default: all).

    Returns:
        (data set, loader).
    """
    dataset = open_dataset(cfg, seed)
    images = sample(dataset.val, count, seed)
    common: dict[str, Any] = {"seed": seed, "num_workers": cfg.num_workers, "max_bad": cfg.max_bad_images}
    return dataset, Loader(images, cfg.batch_size, for_evaluation(dataset), train=False, **common)


def build_search(
    cfg: DataConfig, seed: int, portion: float, devices: int = 1, rank: int = 0, size: int = 1
) -> tuple[DataLoaders, Loader]:
    """The loaders of a gradient search, which uses the training images alone.

    Args:
        cfg: options of the data.
        seed: seed of the run.
        portion: share of the training images that the weights learn from, the first in the order of the set.
        devices: as in `build`.
        rank: as in `build`.
        size: as in `build`.

    Returns:
        (loaders, loader of the architecture parameters). The first has the `portion` as `train` and the rest as `val`.
        The second yields the rest as training images: augmented and shuffled.

    Raises:
        UserError: as `build`, or one of the two would be empty.
    """
    dataset = open_dataset(cfg, seed)
    first, rest = split_training_images(dataset, portion)
    weights = _loaders(cfg, dataclasses.replace(dataset, train=first, val=rest), seed, devices, rank, size)
    other_seed = derive(seed, _ARCHITECTURE)  # with one seed both would come in the same order
    architecture = _loaders(cfg, dataclasses.replace(dataset, train=rest, val=rest), other_seed, devices, rank, size)
    return weights, architecture.train


def _loaders(cfg: DataConfig, dataset: Dataset, seed: int, devices: int, rank: int, size: int) -> DataLoaders:
    common: dict[str, Any] = {
        "seed": seed, "num_workers": cfg.num_workers, "max_bad": cfg.max_bad_images, "rank": rank, "size": size,
    }  # fmt: skip
    batch_size, sizes = cfg.batch_size * devices, _progressive_sizes(cfg, dataset)
    prepare = for_training(cfg, dataset)
    of_training: dict[str, Any] = {**common, "repeats": cfg.aug_repeats, "progressive_sizes": sizes}
    return DataLoaders(
        name=dataset.name,
        train=Loader(dataset.train, batch_size, prepare, train=True, **of_training),
        val=Loader(dataset.val, batch_size, for_evaluation(dataset), train=False, **common),
        classes=dataset.classes,
        class_names=dataset.class_names,
        input_shape=dataset.input_shape,
        mean=dataset.mean,
        std=dataset.std,
        progressive_sizes=sizes,
        scaled_decode=cfg.scaled_decode,
    )


def _progressive_sizes(cfg: DataConfig, dataset: Dataset) -> tuple[tuple[int, int], ...]:
    """(H, W) of each of `cfg.progressive_size`."""
    height, width = dataset.input_shape[1:]
    sizes = cfg.progressive_size or ()
    if sizes and sizes[-1] >= min(height, width):
        raise UserError(
            f"option progressive_size must stay below {height}, the size that the last epochs train with, "
            f"got {sizes[-1]}"
        )
    return tuple((size, size) for size in sizes)
