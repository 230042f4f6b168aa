"""From the options of a run to a network."""

from collections.abc import Iterator
from typing import Any

from mxnet.gluon import HybridBlock

from ..attention.factory import ATTENTIONS, attention_options
from ..config.model import ModelConfig
from ..utils.checks import positives
from ..utils.errors import UserError
from .act_plan import act_entry
from .base import Model
from .factory import attention_entry, get_model, model_info
from .plan import Entry, Plan
from .reference_names import resolved
from .scheme import Scheme, from_codes, is_file
from .variants import by_kernel, eca_entries

_CIFAR = 32  # pixels


def build(config: ModelConfig, classes: int, input_size: int | None = None) -> HybridBlock:
    """The network of a `ModelConfig`.

    Args:
        config: options of the network.
        classes: number of outputs.
        input_size: height of the images; None: what the network was designed for.

    Returns:
        The network of `get_model`, uninitialized unless the config names a parameter file.

    Raises:
        UserError: an option is wrong or has no effect, two contradict each other, or `get_model` refuses.
    """
    config = resolved(config, input_size)
    if config.scheme and is_file(config.scheme):
        config = _with_scheme_file(config, config.scheme)
    info = model_info(config.model)
    _refuse_unused(config, info)
    chosen: dict[str, Any]
    if config.ksize and info.own_plan:
        name, chosen = info.backbone or config.model, {"plan": Plan(_eca_entries(config, info)), **info.preset}
    elif info.own_plan:  # get_model refuses another attention or plan
        name, chosen = config.model, {"attention": config.attention, "plan": _plan_file(config)}
    else:
        planned = config.ksize or config.attention or config.act_type or not info.entries
        own = Plan(_entries(config, info)) if planned else None  # None: what the model has by default
        name, chosen = config.model, {"plan": _plan_file(config) or own}
    options = _network_options(config, info, input_size)
    twice = [key for key in config.model_options if key in options and key != "input_size"]
    if twice:
        raise UserError(f"{', '.join(twice)}: given alone and by option model_options; give one")
    options.update(config.model_options)
    pretrained = config.use_pretrained or config.pretrained or False
    return get_model(name, classes, pretrained=pretrained, **{**chosen, **options})


def _with_scheme_file(config: ModelConfig, path: str) -> ModelConfig:
    """The config with the options that a scheme file stands for; those of the config win."""
    found = Scheme.load(path)
    found.check_belongs(path, config.model, config.attention)
    if config.plan:
        raise UserError(f"scheme {path} says which attention it connects: drop option plan")
    meant = found.model_options()
    meant["model_options"] = {**meant["model_options"], **config.model_options}
    default = type(config)()
    given = {"model": config.model}
    for key in (
        "attention",
        "attention_options",
        "shared",
        "norm",
        "drop_rate",
        "drop_path",
        "dropblock_prob",
        "last_gamma",
    ):
        if getattr(config, key) != getattr(default, key):
            given[key] = getattr(config, key)
    return config.replace(**{**meant, **given})


def _refuse_unused(config: ModelConfig, info: Model) -> None:
    """`UserError` for options that would have no effect."""
    attentional = config.act_type or "act_type" in info.options()
    for name in ("use_relu", "use_global", "act_layers"):
        given = getattr(config, name)
        if given is not None and given is not False and not attentional:
            raise UserError(f"option {name} needs an option act_type such as ChaATAC")
    if config.drop_path and "drop_path" in info.options():
        raise UserError(f"the paths of {config.model} are dropped by a schedule: option drop_path_prob, not drop_path")
    if config.r and not (config.attention or attentional):
        raise UserError("option r needs an option attention or an option act_type such as ChaATAC")
    if config.shared is not None and not config.attention:
        raise UserError("option shared needs an option attention")
    own = "scheme" in info.options()
    if (config.scheme or config.config_codes) and not (config.attention or own):
        raise UserError(
            "option scheme and option config_codes need an option attention, or a network such as sge_fbresnet50"
        )


def _network_options(config: ModelConfig, info: Model, input_size: int | None) -> dict[str, Any]:
    """Options of the network that have a field of their own in the config."""
    options: dict[str, Any] = {"drop_rate": config.drop_rate, "blocks": config.blocks, "input_size": input_size}
    options["last_gamma"] = config.last_gamma or None
    options["drop_path"], options["dropblock_prob"] = config.drop_path, config.dropblock_prob
    options["norm"] = config.norm if config.norm != "batch" else None
    if info.own_plan and not config.attention:
        options["scheme"] = _scheme_bits(config, info)
    if "act_type" in info.options():
        options |= {"act_type": config.act_type, "act_layers": config.act_layers, **_atac_options(config, info)}
    return {key: value for key, value in options.items() if value is not None}


def _plan_file(config: ModelConfig) -> Plan | None:
    return Plan.load(config.plan) if config.plan else None


def _entries(config: ModelConfig, info: Model) -> Iterator[Entry | dict[str, Any]]:
    """Plan entries of the attention and the activation."""
    if config.ksize:
        yield from _eca_entries(config, info)
    elif config.attention:
        options = dict(config.attention_options)
        if config.r and not config.act_type:
            options.setdefault("reduction", config.r)
        entry = attention_entry(info, config.attention, options, config.slot).replace(scheme=_scheme_bits(config, info))
        yield entry if config.shared is None else entry.replace(shared=config.shared)
    if config.act_type:
        options = _atac_options(config, info)
        yield act_entry(config.act_type, info.act_stages, act_layers=config.act_layers, **options)


def _atac_options(config: ModelConfig, info: Model) -> dict[str, Any]:
    """Options of open-atac's activation: its inner ReLU is always on for ImageNet, and off for CIFAR by default."""
    act_type = config.act_type or info.options()["act_type"]
    default = {"relu": info.input_size > _CIFAR, "global_pool": False} if config.act_type else {}
    given = {"reduction": config.r, "relu": config.use_relu, "global_pool": config.use_global or None}
    known = attention_options(act_type) if act_type in ATTENTIONS else ()
    # an option that the activation does not have is passed on only if it was given: it is refused there
    return {key: default.get(key) if value is None else value for key, value in given.items() if key in known or value}


def _eca_entries(config: ModelConfig, info: Model) -> tuple[dict[str, Any], ...]:
    """Plan entries of ECA with the kernel sizes of option ksize."""
    names = {entry["name"] for entry in info.entries} if info.own_plan else {config.attention}
    others = config.attention_options or config.scheme or config.config_codes or config.shared is not None
    if names != {"eca"} or (info.own_plan and config.attention) or others:
        raise UserError(
            "option ksize goes with a network such as eca_resnet50 or with option attention eca, and no more"
        )
    digits = config.ksize or ""
    if len(digits) != info.stages:
        raise UserError(f"option ksize needs {info.stages} digits, one per stage of {config.model}, got {digits}")
    return eca_entries(by_kernel(tuple(map(int, digits))))


def _scheme_bits(config: ModelConfig, info: Model) -> str | None:
    """The connection scheme as zeros and ones, or None."""
    if not config.config_codes:
        return config.scheme
    if not info.blocks:
        raise UserError(
            f"option config_codes needs numbers of blocks, which {config.model} does not declare: give option scheme"
        )
    blocks = positives("blocks", config.model_options.get("blocks", info.blocks), len(info.blocks))
    return from_codes(config.config_codes, blocks)
