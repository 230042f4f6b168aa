"""The plan of "Attention as Activation" (Dai et al. 2020): attentional activations in some stages of a network."""

from ..attention.factory import ATTENTIONS
from ..nn.layers import ACTIVATIONS
from ..utils.errors import UserError
from .plan import Entry

ORDERS = ("bac", "pre")


def act_entry(
    act_type: str,
    stages: int,
    *,
    act_layers: int | None = None,
    act_order: str = "bac",
    reduction: int | None = None,
    relu: bool | None = None,
    global_pool: bool | None = None,
) -> Entry:
    """The plan entry of an activation.

    Args:
        act_type: an activation (`relu prelu elu selu gelu swish`) or an attention (`ChaATAC`).
        stages: number of stages, plus 1 if a head has an activation; see `Model.act_stages`.
        act_layers: number of stages that have `act_type`; the others have ReLU. None: all.
        act_order: "bac" counts them from the last stage, "pre" from the first.
        reduction: option of the attention; None for its default.
        relu: as `reduction`.
        global_pool: as `reduction`.

    Raises:
        UserError: an argument is wrong, or an activation is given options.
    """
    options = {"reduction": reduction, "relu": relu, "global_pool": global_pool}
    options = {key: value for key, value in options.items() if value is not None}
    if act_type not in ACTIVATIONS and act_type not in ATTENTIONS:
        raise UserError(
            f"unknown act_type {act_type!r}; choose an activation ({', '.join(ACTIVATIONS.names())}) or ChaATAC"
        )
    if act_type in ACTIVATIONS and options:
        raise UserError(f"{', '.join(options)}: options of ChaATAC, which activation {act_type!r} does not have")
    if act_order not in ORDERS:
        raise UserError(f"act_order must be bac or pre, got {act_order!r}")
    count = stages if act_layers is None else act_layers
    if not isinstance(count, int) or not 0 <= count <= stages:
        raise UserError(f"act_layers must be from 0 to {stages} in this network, got {count!r}")
    first = stages - count if act_order == "bac" else 0
    return Entry(slot="act", name=act_type, options=options, stages=tuple(range(first + 1, first + count + 1)))
