"""Searched networks by the names of the reference repositories: a genotype's, and the ResNet that it is for."""

from ..genotypes.cell import NAMES
from ..genotypes.files import published
from ..utils.errors import UserError

_CIFAR = 64  # pixels; larger images go through the stem for photographs


def kind_of(config):
    """What a `ModelConfig` names by a genotype: "cells", "attention", or None for a network by its own name."""
    if config.net_type:
        return "attention"
    return "cells" if config.arch_path or config.model in published(NAMES[0]) else None


def resolved(config, input_size=None):
    """The `ModelConfig` with a network's name and options in place of a genotype's name or file, as Att-DARTS and ANAS
    write them: --arch Att_DARTS, --arch_path FILE, --net_type resnet20 --arch ATTENTION."""
    kind = kind_of(config)
    if kind is None:
        if config.model in published("attention"):
            raise UserError(f"--arch {config.model} is an attention: give its ResNet too, such as --net-type resnet20")
        return _with(config, config.model)
    model = config.model if config.model not in (None, type(config)().model) else None
    if config.arch_path and model:
        raise UserError(f"--arch-path and --arch {model} say the same: give one")
    if kind == "cells":
        name = "darts_imagenet" if (input_size or 0) > _CIFAR else "darts_cifar"
    elif model in (None, *published("attention")):
        name = f"anas_{config.net_type}"
    else:
        raise UserError(f"--net-type goes with --arch {' or '.join(published('attention'))} or --arch-path FILE")
    return _with(config, name, genotype=config.arch_path or model)


def _with(config, name, **options):
    """The config of network `name` with these options and those that flags give."""
    options = {key: value for key, value in options.items() if value is not None}
    flags = {"channels": config.init_ch, "layers": config.layers, "auxiliary": config.auxiliary or None}
    options |= {key: value for key, value in flags.items() if value is not None}
    twice = [key for key in options if key in config.model_options]
    if twice:
        raise UserError(f"{', '.join(twice)}: given by a flag and by --model-options; give one")
    cleared = {"arch_path": None, "net_type": None, "init_ch": None, "layers": None, "auxiliary": False}
    return config.replace(model=name, model_options={**config.model_options, **options}, **cleared)
