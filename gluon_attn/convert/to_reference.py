"""Write our weights under the names of timm, torchvision and the authors of DIANet and EAN."""

import re
from pathlib import Path

import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock

from ..utils.errors import UserError
from .counterpart import needed_counterpart
from .files import write_weights
from .mobile_names import FREE
from .names import find_name_map, parameter_names
from .weight_sources import weight_sources

TARGETS = ("ean", "timm", "torchvision")
#: options with which a network of DIANet or EAN remains the authors'
_EAN = {*FREE, "depth", "scheme", "variant"}
ENDINGS = (".safetensors", ".pth", ".pt")


def reference_state(net: HybridBlock, target: str) -> dict[str, np.ndarray]:
    """The weights of a network as the state dict of its counterpart; `load_reference` reads it back.

    Args:
        net: a network of `get_model` with weights.
        target: one of `TARGETS`.

    Returns:
        Name there -> float32 array.

    Raises:
        UserError: the target is unknown, or has no such network.
    """
    if target not in TARGETS:
        raise UserError(f"unknown target {target!r}; choose from {', '.join(TARGETS)}")
    if target == "ean":
        _check_ean(net.recipe)
    else:
        needed_counterpart(net, target)
    name_map, own = find_name_map(target), net._collect_params_with_prefix()
    mx.nd.waitall()  # a pass that still runs may turn a weight into oneDNN's layout while it is read
    state = {}
    for path, name in parameter_names(net, name_map).items():
        value = own[path].data().asnumpy()
        if path.endswith((".gamma", ".beta")):  # one number per channel there
            value = value.reshape(-1)
        state[name] = np.array(name_map.changed(name, value), np.float32, order="C")
        for pattern, other in name_map.companions.items():
            if re.fullmatch(pattern, name):
                state[re.sub(pattern, other, name)] = np.zeros(1, np.float32)
    return state


def _check_ean(recipe):
    own = "ean" in weight_sources(recipe["model"]) and set(recipe["options"]) <= _EAN
    if not own or (recipe["plan"] or {}).get("entries"):
        raise UserError(f"ean has no network like this {recipe['model']}: its weights fit no network there")


def save_reference(net: HybridBlock, path: Path | str, target: str) -> dict[str, np.ndarray]:
    """Write the state dict of `reference_state` to a file.

    Args:
        net: a network of `get_model` with weights.
        path: ends in .safetensors (needs the extra convert), .pth or .pt (need torch).
        target: one of `TARGETS`.

    Returns:
        The state dict.

    Raises:
        UserError: another ending, a missing library, or an error of `reference_state`.
    """
    if not str(path).endswith(ENDINGS):
        raise UserError(f"{path} must end in one of {', '.join(ENDINGS)}")
    state = reference_state(net, target)
    write_weights(path, state)
    return state
