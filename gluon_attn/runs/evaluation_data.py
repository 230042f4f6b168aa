"""The test images that belong to a trained network."""

from pathlib import Path
from typing import Any

from ..config.card import Card
from ..config.data import DataConfig
from ..data.base import Dataset
from ..data.factory import open_dataset
from ..data.photo_files import is_unsplit
from ..utils.errors import UserError
from ..utils.log import get_logger
from .folder import RunFolder


def open_test_set(target: Path | str, card: Card, dataset: str | None = None, **options: Any) -> Dataset:
    """The `Dataset` whose test images (`val`) belong to a run folder or an exported file.

    A run folder knows its data options; for an exported file the defaults of the data set are taken.

    Args:
        target: the run folder or file.
        card: the target's.
        dataset: another data set than the one that the network was trained on.
        options: of `DataConfig`; None leaves one as it is.

    Raises:
        UserError: the images or classes of the data set do not fit the network.
    """
    config, seed = _config(target, card, _meant(dataset, options))
    source = open_set(config, seed, options)
    if _nameless(source.name, source.class_names):  # the files do not tell how many classes there are
        source = open_set(config, seed, {**options, "classes": max(2, card.classes)})
    if source.input_shape != card.input_shape or source.classes != card.classes:
        raise UserError(
            f"{source.name} has {source.classes} classes of {'x'.join(map(str, source.input_shape))} images; "
            f"the network takes {card.classes} of {'x'.join(map(str, card.input_shape))}"
        )
    names = tuple(source.class_names)
    nameless = _nameless(source.name, names) or _nameless(card.dataset, card.class_names) or not card.class_names
    if names != card.class_names and not nameless:
        raise UserError(f"{source.name} has other classes ({', '.join(names[:3])}, ...) than the network")
    return source


def open_named_set(dataset: str | None, options: dict[str, Any], input_size: int) -> Dataset:
    """The `Dataset` to evaluate a network on that is known by its name.

    Args:
        dataset: its name; None: photographs in the record file of option rec_val.
        options: of `DataConfig`, such as data_dir; None leaves one as it is.
        input_size: height and width of the images in pixels, where the data set has photographs.

    Raises:
        UserError: no images are named, or they cannot be read.
    """
    dataset = _meant(dataset, options)
    if not dataset:
        raise UserError("name the images to evaluate on: option rec_val, or option dataset")
    return open_set(DataConfig(dataset=dataset, **_sized(dataset, input_size)), 1, options)


def open_set(config: DataConfig, seed: int, options: dict[str, Any]) -> Dataset:
    """The `Dataset` of data options with some of them changed.

    Args:
        config: the options.
        seed: seed of the run.
        options: name -> new value; None leaves one as it is.
    """
    changes = {key: value for key, value in options.items() if value is not None}
    if "data_dir" in changes:  # all files are there
        changes = {"rec_val": None, "rec_val_idx": None, **changes}
    if changes.get("rec_val"):  # its index is beside it
        changes = {"rec_val_idx": None, "val_share": 0, "val_seed": 0, "hold_out": 0, **changes}
    config = config.replace(**changes)
    if "data_dir" in changes and config.dataset == "imagenet_folder":
        config = _of_folder(config)
    return open_dataset(config, seed)


def _of_folder(config: DataConfig) -> DataConfig:
    """The options for a folder that is named for the evaluation: all images of one without a split are test images."""
    folder = Path(str(config.data_dir)).expanduser()
    if config.val_share:
        text = "the network was trained with option val_share %g: so many of the images in %s are evaluated"
        get_logger().warning(text, config.val_share, folder)
    elif is_unsplit(folder):
        text = "%s has no training and test images of its own: all are evaluated, also those a network was trained on"
        get_logger().warning(text, folder)
        return config.replace(val_share=1)
    return config


def _meant(dataset, options):
    return dataset or ("imagenet_rec" if options.get("rec_val") else None)


def _nameless(dataset, names):
    """Whether the classes of records have numbers only, as they get where no list names them."""
    return dataset == "imagenet_rec" and all(name == str(number) for number, name in enumerate(names))


def _config(target, card, dataset):
    """(DataConfig, seed) of a target's own data, or of another set's images in the network's size."""
    if not (dataset or card.dataset):
        raise UserError(f"{target} does not say what it was trained on: name one with option dataset")
    folder = RunFolder(target)
    if folder.holds_run:
        stored = folder.read_config()
        if dataset in (None, stored.data.dataset):
            return stored.data, stored.train.seed
    name = dataset or card.dataset
    classes = {"classes": max(2, card.classes)} if name == "synthetic" else {}
    return DataConfig(dataset=name, **_sized(name, card.input_shape[1]), **classes), 1


def _sized(dataset, size):
    return {"input_size": size} if dataset in ("synthetic", "imagenet_rec", "imagenet_folder") else {}
