"""Plans of "Attention as Activation": attentional activation in the last stages of a network."""

from ..attention.factory import ATTENTIONS
from ..nn.layers import ACTIVATIONS
from ..utils.errors import UserError
from .plan import Entry

ORDERS = ("bac", "pre")


def act_entry(act_type, stages, *, act_layers=None, act_order="bac", reduction=None, relu=None, global_pool=None):
    """The plan entry for an activation or an attentional one.

    act_type: an activation (`relu prelu elu selu gelu swish`) or an attention (`ChaATAC`). stages: number of
    places to count over (a network's stages, plus 1 where a head has an activation of its own). act_layers: how
    many of them hold it (default: all), the others a ReLU. act_order: count from the last ("bac", default) or
    the first ("pre"). reduction, relu, global_pool: options of the attention, None where not asked for.
    """
    options = {"reduction": reduction, "relu": relu, "global_pool": global_pool}
    options = {key: value for key, value in options.items() if value is not None}
    if act_type not in ACTIVATIONS and act_type not in ATTENTIONS:
        raise UserError(
            f"unknown act_type {act_type!r}; choose an activation ({', '.join(ACTIVATIONS.names())}) or ChaATAC"
        )
    if act_type in ACTIVATIONS and options:
        raise UserError(f"{', '.join(options)}: options of ChaATAC, which activation {act_type!r} has not")
    if act_order not in ORDERS:
        raise UserError(f"act_order must be bac or pre, got {act_order!r}")
    count = stages if act_layers is None else act_layers
    if not isinstance(count, int) or not 0 <= count <= stages:
        raise UserError(f"act_layers must be from 0 to {stages} in this network, got {count!r}")
    first = stages - count if act_order == "bac" else 0
    return Entry(slot="act", name=act_type, options=options, stages=tuple(range(first + 1, first + count + 1)))
