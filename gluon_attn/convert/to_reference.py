"""Our weights under the names that timm and torchvision give them."""

import re

import numpy as np

from ..utils.errors import UserError
from ..utils.files import atomic_path
from .counterpart import needed_counterpart
from .files import write_weights
from .from_reference import find_source
from .names import parameter_names

TARGETS = ("timm", "torchvision")
ENDINGS = (".safetensors", ".pth", ".pt")


def reference_state(net, target):
    """Name there -> float32 NumPy array, of a network of `get_model` with weights; `load_reference` reads it back.

    target: one of `TARGETS`. A network that the library does not have is a `UserError`.
    """
    if target not in TARGETS:
        raise UserError(f"unknown target {target!r}; choose from {', '.join(TARGETS)}")
    needed_counterpart(net, target)
    source, own, state = find_source(target), net._collect_params_with_prefix(), {}
    for path, name in parameter_names(net, source).items():
        value = own[path].data().asnumpy()
        if path.endswith((".gamma", ".beta")):  # one number a channel there
            value = value.reshape(-1)
        state[name] = np.array(source.changed(name, value), np.float32, order="C")
        for pattern, other in source.companions.items():
            if re.fullmatch(pattern, name):
                state[re.sub(pattern, other, name)] = np.zeros(1, np.float32)
    return state


def save_reference(net, path, target):
    """Write `reference_state` to a .safetensors (needs the extra convert) or a .pth or .pt (needs torch) file."""
    if not str(path).endswith(ENDINGS):
        raise UserError(f"{path} must end in one of {', '.join(ENDINGS)}")
    state = reference_state(net, target)
    with atomic_path(path) as staged:
        write_weights(staged, state)
    return state
