"""Which tensors of a reference fit a block, and behind which wrappers they are."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from mxnet.gluon import HybridBlock, Parameter

from ..nn.params import few
from ..utils.errors import UserError
from .gluon_names import structural
from .names import NameMap, parameter_names
from .tensors import Tensors
from .wrappers import COUNTERS, Unwrapped, unwrapped


@dataclass(frozen=True)
class Fit:
    """How the names of tensors fit a block.

    Attributes:
        found: the tensors, without wrappers.
        names: our parameter path -> name there.
        missing: names that the tensors lack.
        left: names that no parameter needs, with those outside the wrappers.
        extra: those of `left` behind the wrappers that may not be left over.
    """

    found: Unwrapped
    names: dict[str, str]
    missing: tuple[str, ...]
    left: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether nothing is missing and nothing left over."""
        return not self.missing and not self.extra

    def complaint(self) -> str:
        """What does not fit, in words."""
        parts = [f"they lack {few(self.missing)}"] * bool(self.missing)
        return ", ".join(parts + [f"they have {few(self.extra)} in addition"] * bool(self.extra))


def fitting(block: HybridBlock, name_map: NameMap, state: Mapping[str, np.ndarray], source: str) -> Fit:
    """The way to take wrappers off that fits a block; if none does, the one that comes nearest.

    Args:
        block: our block.
        name_map: of the reference.
        state: tensor name there -> array.
        source: name of the reference, for messages.

    Raises:
        UserError: several networks in the weights fit.
    """
    tensors = Tensors.of(state)
    if name_map.gluon:
        tensors = structural(block, name_map, tensors)
    ways = []
    for found in unwrapped(tensors):
        ways.append(_fit(block, name_map, found))
        if ways[0].fits:  # as they are
            return ways[0]
    whole = [fit for fit in ways if fit.fits]
    if len(whole) > 1:
        places = " and ".join(fit.found.prefix for fit in whole)
        raise UserError(f"the {source} weights fit under several names, {places}: save one of these networks alone")
    return whole[0] if whole else min(ways, key=lambda fit: len(fit.missing) + len(fit.extra))


def _fit(block, name_map, found):
    tensors = found.tensors
    names = parameter_names(block, name_map, frozenset(tensors))
    own = block._collect_params_with_prefix()
    needless = {names[path] for path, param in own.items() if is_fixed(path, param)}
    needless |= {name for name in names.values() if any(re.fullmatch(pattern, name) for pattern in name_map.absent)}
    missing = dict.fromkeys(names[path] for path in own if names[path] not in tensors and names[path] not in needless)
    used = set(names.values())
    ignored = [COUNTERS, *map(re.compile, name_map.unused)]
    left = [name for name in tensors if name not in used]
    extra = [name for name in left if not any(pattern.fullmatch(name) for pattern in ignored)]
    return Fit(found, names, tuple(missing), (*left, *found.beside), tuple(extra))


def is_fixed(path: str, param: Parameter) -> bool:
    """Whether it is the scale or shift of a norm without one."""
    return param.grad_req == "null" and path.rpartition(".")[2] in ("gamma", "beta")
