"""A start without effect: a network with a new attention computes at first what it computes without it.

Attentions whose output is x plus something begin with 0 of it. Gates begin as one number, 1/2 behind a sigmoid, and the
layer before the module (after it, in an `inner` slot) is scaled by the inverse: the products are the old ones, and the
gate is where the sigmoid is steepest, while a gate near 1 would hardly learn.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import mxnet as mx
from mxnet.gluon import HybridBlock, nn

from ..attention.base import Attention, ConstantStart, weights_of
from ..attention.factory import identity_attentions
from ..nn.norm import GroupNorm
from ..utils.errors import UserError
from .added_parts import EMPTY_SLOTS, slot_of

_TOLERANCE = 1e-3  # of the largest output; doubling is exact, thirds and the order of sums are not


def start_as_identity(
    root: HybridBlock, modules: Mapping[str, HybridBlock], forward: Callable[[], Any]
) -> tuple[list[float], float]:
    """Start modules so that the network computes what it would without them, and check that it does.

    Args:
        root: the network, initialized and not hybridized; its weights are changed.
        modules: path below `root` -> module that a plan put there.
        forward: gives an output of the network, or a list of them, for the same images each time.

    Returns:
        (the different numbers that the modules multiply by at first, largest difference over the largest output).

    Raises:
        UserError: one of the modules has no such start in its slot.
    """
    _finish_initialization(root, forward)
    starts = {path: _start(path, module) for path, module in modules.items()}
    layers = {path: _scaled_layer(root, path, slot_of(modules[path])) for path in starts if starts[path].factor != 1}
    with _bypassed(modules.values()):
        before = _outputs(forward)
    for start in starts.values():
        start.apply()
    for path, (layer, whole) in layers.items():
        for param in weights_of(layer) if whole else [layer.weight]:
            param.set_data(param.data(param.list_ctx()[0]) / starts[path].factor)
    difference = _difference(before, _outputs(forward))
    if difference > _TOLERANCE:
        raise UserError(
            f"option attention_start identity: with the attention the network computes something else, by "
            f"{difference:.2g} of its largest output; leave this option out"
        )
    return sorted({start.factor for start in starts.values()}), difference


def _finish_initialization(root: HybridBlock, forward: Callable[[], Any]) -> None:
    """Let layers that do not say how many channels they take see them once."""
    if any(param._deferred_init for param in root.collect_params().values()):
        forward()


def _start(path: str, module: HybridBlock) -> ConstantStart:
    """The `ConstantStart` of a module."""
    slot = slot_of(module)
    start = module.constant_start() if isinstance(module, Attention) and slot in EMPTY_SLOTS else None
    if start is None:
        name = type(module).__name__
        why = "has no such start" if slot in EMPTY_SLOTS else "is in the place of a layer of the backbone"
        raise UserError(
            f"option attention_start identity: {path}, {name}, {why}; attentions that have one at the end of a "
            f"branch: {', '.join(identity_attentions())}"
        )
    return start


def _scaled_layer(root: HybridBlock, path: str, slot: str | None) -> tuple[Any, bool]:
    """(layer whose output or input a module multiplies, whether its bias is scaled, too)."""
    parent, _, name = path.rpartition(".")
    block: Any = root
    for part in filter(None, parent.split(".")):
        block = block._children[part]
    names = list(block._children)
    index = names.index(name) + (1 if slot == "inner" else -1)
    layer = block._children[names[index]] if slot != "stage" and 0 <= index < len(names) else None
    while isinstance(layer, (nn.HybridSequential, nn.Sequential)) and not slot_of(layer):
        layer = list(layer._children.values())[0 if slot == "inner" else -1]
    kinds = (nn.Conv2D, nn.Dense) if slot == "inner" else (nn.Conv2D, nn.Dense, nn.BatchNorm, GroupNorm)
    fixed = isinstance(layer, nn.BatchNorm) and layer._kwargs["fix_gamma"]
    if not isinstance(layer, kinds) or fixed:
        where = "after" if slot == "inner" else "before"
        raise UserError(
            f"option attention_start identity: {path} has no convolution or norm {where} it whose scale makes up for "
            "its gate; leave this option out"
        )
    return layer, slot != "inner"


@contextlib.contextmanager
def _bypassed(modules: Any) -> Iterator[None]:
    """While active, the modules hand on their inputs."""
    unique = list({id(module): module for module in modules}.values())
    for module in unique:
        module.forward = lambda x, *state: (x, *state) if state else x
    try:
        yield
    finally:
        for module in unique:
            del module.forward


def _outputs(forward: Callable[[], Any]) -> list[mx.nd.NDArray]:
    found = forward()
    found = found if isinstance(found, (list, tuple)) else [found]
    return [one.astype("float32") for one in found]


def _difference(before: Sequence[mx.nd.NDArray], after: Sequence[mx.nd.NDArray]) -> float:
    """Largest difference of two lists of arrays, over the largest value of the first."""
    pairs = zip(before, after, strict=True)
    return max(
        float((new - old).abs().max().asscalar()) / max(float(old.abs().max().asscalar()), 1e-30) for old, new in pairs
    )
