"""Searched networks by the names of the reference repositories: a genotype, and the ResNet that it is for."""

from typing import Any

from ..config.model import ModelConfig
from ..genotypes.cell import CELL_NAMES
from ..genotypes.files import published
from ..utils.errors import UserError

_CIFAR = 64  # pixels; larger images get the network for ImageNet


def kind_of(config: ModelConfig) -> str | None:
    """What a config names by a genotype: "cells", "attention", or None for a network by its own name."""
    if config.net_type:
        return "attention"
    return "cells" if config.arch_path or config.model in published(CELL_NAMES[0]) else None


def resolved(config: ModelConfig, input_size: int | None = None) -> ModelConfig:
    """Replace the name or file of a genotype by the name and options of its network.

    Att-DARTS and ANAS write --arch Att_DARTS, --arch_path FILE, --net_type resnet20 --arch ATTENTION.

    Args:
        config: options of the network.
        input_size: height of the images; None: as for CIFAR.

    Raises:
        UserError: options contradict each other, or the genotype needs a network.
    """
    kind = kind_of(config)
    if kind is None:
        if config.model in published("attention"):
            raise UserError(
                f"option model {config.model} is an attention: give its ResNet too, such as option net_type resnet20"
            )
        return _with(config, config.model)
    model = config.model if config.model not in (None, type(config)().model) else None
    if config.arch_path and model:
        raise UserError(f"option arch_path and option model {model} say the same: give one")
    if kind == "cells":
        name = "darts_imagenet" if (input_size or 0) > _CIFAR else "darts_cifar"
    elif model in (None, *published("attention")):
        name = f"anas_{config.net_type}"
    else:
        known = " or ".join(published("attention"))
        raise UserError(f"option net_type goes with option model {known} or option arch_path")
    return _with(config, name, genotype=config.arch_path or model)


def _with(config: ModelConfig, name: str, **options: Any) -> ModelConfig:
    """The config of network `name` with these options and those that have a field of their own in the config."""
    options = {key: value for key, value in options.items() if value is not None}
    own = {"channels": config.init_ch, "layers": config.layers, "auxiliary": config.auxiliary or None}
    options |= {key: value for key, value in own.items() if value is not None}
    twice = [key for key in options if key in config.model_options]
    if twice:
        raise UserError(f"{', '.join(twice)}: given alone and by option model_options; give one")
    cleared = {"arch_path": None, "net_type": None, "init_ch": None, "layers": None, "auxiliary": False}
    return config.replace(model=name, model_options={**config.model_options, **options}, **cleared)
