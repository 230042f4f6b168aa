"""The test images that belong to a trained network."""

from pathlib import Path

from ..config.data import DataConfig
from ..utils.errors import UserError
from .run_folder import read_config


def open_test_set(target, card, dataset=None, data_dir=None):
    """The `ArraySet` of test images for a run folder or an exported file.

    card: the target's. dataset: another set than the one that the network was trained on. data_dir: its folder. A run
    folder knows its options of the data; for an exported file the set's defaults are taken. A set whose images or
    classes do not fit the network is a `UserError`.
    """
    from ..data.factory import open_source

    config, seed = _config(target, card, dataset)
    if data_dir:
        config = config.replace(data_dir=data_dir)
    source = open_source(config, seed)
    if source.input_shape != card.input_shape or source.classes != card.classes:
        raise UserError(
            f"{source.name} has {source.classes} classes of {'x'.join(map(str, source.input_shape))} images; "
            f"the network takes {card.classes} of {'x'.join(map(str, card.input_shape))}"
        )
    if card.class_names and tuple(source.class_names) != card.class_names:
        raise UserError(f"{source.name} has other classes ({', '.join(source.class_names[:3])}, ...) than the network")
    return source.val


def _config(target, card, dataset):
    if not (dataset or card.dataset):
        raise UserError(f"{target} does not say what it was trained on: name a --dataset")
    if Path(target, "config.yaml").is_file():
        stored = read_config(target)
        if dataset in (None, stored.data.dataset):
            return stored.data, stored.train.seed
    name = dataset or card.dataset
    sized = {"classes": max(2, card.classes), "input_size": card.input_shape[1]} if name == "synthetic" else {}
    return DataConfig(dataset=name, **sized), 1
