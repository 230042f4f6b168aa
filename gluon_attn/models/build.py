"""From options to a network: what the flags of a command mean together."""

from ..attention.factory import ATTENTIONS, attention_options
from ..utils.checks import positives
from ..utils.errors import UserError
from .act_plan import act_entry
from .factory import attention_entry, get_model, model_info
from .plan import Plan
from .reference_names import resolved
from .scheme import Scheme, from_codes, is_file
from .variants import by_kernel, eca_entries

_CIFAR = 32  # pixels


def build(config, classes, input_size=None):
    """The network that a `ModelConfig` asks for, uninitialized unless it names a parameter file.

    classes: number of outputs. input_size: height of the images (default: what the network was designed for).
    """
    config = resolved(config, input_size)
    info = model_info(config.model)
    _complain(config, info)
    if config.ksize and info.own_plan:
        name, chosen = info.backbone, {"plan": Plan(_kernels(config, info))}
    elif info.own_plan:  # get_model refuses another attention or plan
        name, chosen = config.model, {"attention": config.attention, "plan": _plan_file(config)}
    else:
        name, chosen = config.model, {"plan": _plan_file(config) or Plan(_entries(config, info))}
    options = _options(config, info, input_size)
    twice = [key for key in config.model_options if key in options and key != "input_size"]
    if twice:
        raise UserError(f"{', '.join(twice)}: given by a flag and by --model-options; give one")
    options.update(config.model_options)
    pretrained = config.use_pretrained or config.pretrained or False
    return get_model(name, classes, pretrained=pretrained, **chosen, **options)


def _complain(config, info):
    """`UserError` for flags that would do nothing."""
    attentional = config.act_type or "act_type" in info.options()
    for name in ("use_relu", "use_global", "act_layers"):
        given = getattr(config, name)
        if given is not None and given is not False and not attentional:
            raise UserError(f"--{name.replace('_', '-')} needs an --act-type such as ChaATAC")
    if config.r and not (config.attention or attentional):
        raise UserError("--r needs an --attention or an --act-type such as ChaATAC")
    if config.shared is not None and not config.attention:
        raise UserError("--shared needs an --attention")
    own = "scheme" in info.options()
    if (config.scheme or config.config_codes) and not (config.attention or own):
        raise UserError("--scheme and --config-codes need an --attention, or a network such as sge_fbresnet50")


def _options(config, info, input_size):
    """Options of the network that flags of their own give."""
    options = {"drop_rate": config.drop_rate, "blocks": config.blocks, "input_size": input_size}
    options["last_gamma"] = config.last_gamma or None
    options["norm"] = config.norm if config.norm != "batch" else None
    if info.own_plan and not config.attention:
        options["scheme"] = _scheme(config, info)
    if "act_type" in info.options():
        options |= {"act_type": config.act_type, "act_layers": config.act_layers, **_atac_options(config, info)}
    return {key: value for key, value in options.items() if value is not None}


def _plan_file(config):
    return Plan.load(config.plan) if config.plan else None


def _entries(config, info):
    """Plan entries for `--attention` and `--act-type`."""
    if config.ksize:
        yield from _kernels(config, info)
    elif config.attention:
        options = dict(config.attention_options)
        if config.r and not config.act_type:
            options.setdefault("reduction", config.r)
        entry = attention_entry(info, config.attention, options, config.slot).replace(scheme=_scheme(config, info))
        yield entry if config.shared is None else entry.replace(shared=config.shared)
    if config.act_type:
        options = _atac_options(config, info)
        yield act_entry(config.act_type, info.places, act_layers=config.act_layers, **options)


def _atac_options(config, info):
    """open-atac's flags: its inner ReLU is always on for ImageNet and off for CIFAR unless asked for."""
    act_type = config.act_type or info.options()["act_type"]
    default = {"relu": info.input_size > _CIFAR, "global_pool": False} if config.act_type else {}
    given = {"reduction": config.r, "relu": config.use_relu, "global_pool": config.use_global or None}
    known = attention_options(act_type) if act_type in ATTENTIONS else ()
    # what the attention or activation does not know is passed on only if asked for: it is refused there
    return {key: default.get(key) if value is None else value for key, value in given.items() if key in known or value}


def _kernels(config, info):
    """Plan entries of ECA with the kernel sizes of `--ksize`."""
    names = {entry["name"] for entry in info.entries} if info.own_plan else {config.attention}
    others = config.attention_options or config.scheme or config.config_codes or config.shared is not None
    if names != {"eca"} or (info.own_plan and config.attention) or others:
        raise UserError("--ksize goes with a network such as eca_resnet50 or with --attention eca, and no more")
    if len(config.ksize) != info.stages:
        raise UserError(f"--ksize needs {info.stages} digits, one a stage of {config.model}, got {config.ksize}")
    return eca_entries(by_kernel(tuple(map(int, config.ksize))))


def _scheme(config, info):
    """The scheme as zeros and ones, or None."""
    if is_file(config.scheme):
        return Scheme.load(config.scheme).scheme
    if not config.config_codes:
        return config.scheme
    if not info.blocks:
        raise UserError(f"--config-codes counts blocks, which {config.model} does not tell: give --scheme")
    blocks = positives("blocks", config.model_options.get("blocks", info.blocks), len(info.blocks))
    return from_codes(config.config_codes, blocks)
