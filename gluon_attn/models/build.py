"""From options to a network: what the flags of a command mean together."""

from ..attention.factory import ATTENTIONS, attention_options
from .atac import act_entry
from .factory import attention_entry, get_model, model_info
from .plan import Plan


def build(config, classes, input_size=None):
    """The network that a `ModelConfig` asks for, uninitialized unless it names a parameter file.

    classes: number of outputs. input_size: height of the images (default: what the network was designed for).
    """
    info = model_info(config.model)
    options = {"drop_rate": config.drop_rate, "blocks": config.blocks, "input_size": input_size}
    options["last_gamma"] = config.last_gamma or None
    if info.own_plan:  # get_model refuses another attention or plan
        chosen = {"attention": config.attention, "plan": Plan.load(config.plan) if config.plan else None}
        if config.act_type:
            options.update(act_type=config.act_type, act_layers=config.act_layers, **_atac_options(config))
    else:
        chosen = {"plan": Plan.load(config.plan) if config.plan else Plan(_entries(config, info))}
    options = {key: value for key, value in options.items() if value is not None}
    return get_model(config.model, classes, pretrained=config.pretrained or False, **chosen, **options)


def _entries(config, info):
    """Plan entries for `--attention` and `--act-type`."""
    if config.attention:
        options = dict(config.attention_options)
        if config.r and not config.act_type:
            options.setdefault("reduction", config.r)
        yield attention_entry(config.attention, options)
    if config.act_type:
        yield act_entry(config.act_type, info.places, act_layers=config.act_layers, **_atac_options(config))


def _atac_options(config):
    """The reference's flags: its inner ReLU is off unless asked for, so a flag not given is a choice too."""
    options = {"reduction": config.r, "relu": config.use_relu, "global_pool": config.use_global}
    known = attention_options(config.act_type) if config.act_type in ATTENTIONS else ()
    # what the attention or activation does not know is passed on only if asked for: it is refused there
    return {key: value for key, value in options.items() if key in known or value}
