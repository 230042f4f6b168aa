"""Options that others imply: those in a scheme file, and the published settings of searched networks."""

import dataclasses
from typing import Any

from ..config.detect import DetectRunConfig, scheduled
from ..config.files import merge
from ..config.photograph_defaults import OWN
from ..utils.errors import UserError
from ..utils.paths import expanded
from .options import Layer, Options
from .photograph_defaults import with_photograph_defaults

_SGD = {"optimizer": "sgd", "momentum": 0.9, "clip_grad": 5}
#: (kind of network, whether for photographs) -> what its repository trains it with, plain data by option group
_REFERENCE_DEFAULTS: dict[tuple[str, bool], dict[str, dict[str, Any]]] = {
    # Att-DARTS's train_CIFAR10.py
    ("cells", False): {
        "data": {"batch_size": 96},
        "optim": {**_SGD, "lr": 0.025, "wd": 3e-4, "lr_mode": "cosine"},
        "train": {"num_epochs": 600, "drop_path_prob": 0.2, "seed": 2},
    },
    # its train_imagenet.py
    ("cells", True): {
        "data": {"batch_size": 128, "label_smoothing": True},
        "optim": {
            **_SGD,
            "lr": 0.1,
            "wd": 3e-5,
            "lr_mode": "step",
            "lr_decay": 0.97,
            "lr_decay_period": 1,
            "warmup_epochs": 0,
        },
        "train": {"num_epochs": 250, "seed": 0},
    },
    # ANAS's train_net.py
    ("attention", False): {
        "data": {"batch_size": 128},
        "optim": {**_SGD, "lr": 0.1, "wd": 1e-4, "lr_mode": "cosine"},
        "train": {"num_epochs": 180, "seed": 0},
    },
}


def with_implied(options: Options, photographs: bool | None = None) -> Options:
    """The options of a training run with a scheme file expanded and reference defaults filled in.

    Args:
        options: of a `RunConfig`, or of a `DetectRunConfig`, whose option schedule stands for others.
        photographs: whether the network is for photographs (default: whether the data set is ImageNet's kind).
    """
    options = with_scheme_file(options)
    config = options.config()
    if isinstance(config, DetectRunConfig):
        return options.with_defaults(scheduled(config.detect.schedule))
    if photographs is None:
        photographs = config.data.dataset.startswith("imagenet")
        if config.data.dataset in ("imagenet_folder", "imagenet_rec"):
            options = with_photograph_defaults(options, OWN)
            config = options.config()
    return options.with_defaults(reference_defaults(config, photographs))


def reference_defaults(config: Any, photographs: bool) -> Layer:
    """What a reference repository trains the network of a config with, where a genotype names it; else nothing.

    Args:
        config: a `RunConfig`.
        photographs: whether the network is for photographs.

    Raises:
        UserError: the network is for small images only, and `photographs` is true.
    """
    model = config.model
    if model.arch_path is None and model.net_type is None and not _is_genotype_name(model.model):
        return {}
    from ..models.reference_names import kind_of  # loads MXNet, which most command lines need later only

    kind = kind_of(model)
    if kind is None:
        return {}
    if (kind, photographs) not in _REFERENCE_DEFAULTS:
        raise UserError("option net_type is a ResNet for small images: use train_cifar.py, not train_imagenet.py")
    found = {group: dict(values) for group, values in _REFERENCE_DEFAULTS[kind, photographs].items()}
    if config.data.dataset.startswith("cifar"):
        found["data"]["normalization"] = "att-darts"
    return found


def _is_genotype_name(model):
    """Whether it may be a genotype's name; names of networks are in lower case."""
    return model != model.lower()


def with_scheme_file(options: Options) -> Options:
    """The options with a scheme file replaced by the options that it stands for, so that config.yaml needs no file.

    Options of the network that are given are added to the file's.

    Args:
        options: of a `RunConfig`; option scheme may name a JSON file.

    Raises:
        UserError: a network or an attention is given that is not the file's.
    """
    path = options.asked("model.scheme")
    if not str(path).endswith(".json"):
        return options
    from ..models.scheme import Scheme  # loads MXNet, which other command lines need later only

    found = Scheme.load(expanded(path))
    found.check_belongs(path, options.asked("model.model"), options.asked("model.attention"))
    meant = found.model_options()
    network = {**merge(options.recipe, options.given).get("model", {}).get("model_options", {})}
    meant["model_options"] = {**meant["model_options"], **network}
    return dataclasses.replace(
        options,
        recipe=merge({"model": meant}, _without_scheme(options.recipe)),
        given=_without_scheme(options.given),
    )


def _without_scheme(layer):
    model = {key: value for key, value in layer.get("model", {}).items() if key not in ("scheme", "model_options")}
    return {**layer, "model": model}
