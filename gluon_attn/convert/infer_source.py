"""Infer whose weights a file has from the names and shapes of its tensors."""

from collections.abc import Callable

import numpy as np
from mxnet.gluon import HybridBlock

from ..utils.errors import UserError
from .counterpart import counterpart
from .fit import fitting
from .from_reference import Match, match
from .names import find_name_map, sources
from .tensors import Tensors

#: of several that fit alike, the one that is told: the first that has such a network
_FIRST = ("timm", "torchvision", "gluoncv")


def infer_source(network: Callable[[str], HybridBlock], tensors: Tensors) -> str:
    """The source whose names weights have.

    Args:
        network: source -> the network that they are of, with as many classes as the weights have then.
        tensors: the weights.

    Returns:
        One of `sources()`; of several that give the same parameters the best known that has such a network.

    Raises:
        UserError: none fits, or several do that give other parameters.
    """
    found: dict[str, Match] = {}
    nearest: list[tuple[int, str, str]] = []
    for source in sorted(sources(), key=lambda name: (*_FIRST, name).index(name)):
        try:
            net = network(source)
            fit = fitting(net, find_name_map(source), tensors, source)
            if fit.fits:
                found[source] = match(net, tensors, source)
            else:
                nearest.append((len(fit.missing) + len(fit.extra), source, fit.complaint()))
        except UserError as error:  # of shapes
            nearest.append((0, source, str(error)))
    if not found:
        _, source, complaint = min(nearest, key=lambda one: one[0])
        raise UserError(f"the weights are of another network; by the nearest names, {source}'s: {complaint}")
    first = next((name for name in _FIRST if name in found and counterpart(network(name), name)), next(iter(found)))
    other = next((name for name in found if not _alike(found[first], found[name])), None)
    if other:
        raise UserError(f"the weights may be {first}'s or {other}'s, which differ: name one with option source")
    return first


def _alike(one: Match, other: Match) -> bool:
    """Whether two matches give the same parameters."""
    return all(np.array_equal(one.array(path), other.array(path)) for path in one.shapes)
