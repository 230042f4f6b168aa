"""Wrappers around a network, whose names stand before those of its tensors: module., _orig_mod., model. and others.

DataParallel, `torch.compile`, AveragedModel, Lightning and many training scripts wrap a network, some one in another.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .tensors import Tensors

#: what wrappers count beside the tensors of a network
COUNTERS = re.compile(r"(?:.*\.)?(?:num_batches_tracked|n_averaged|steps)")
#: parts of names that PyTorch and Lightning put at any place, and that no network has
_ANYWHERE = {"_orig_mod", "_forward_module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
#: wrappers that may have other tensors beside the network, such as those of a loss or of a second network
_WITH_OTHERS = (
    "module", "model", "net", "network", "backbone", "encoder", "student", "teacher", "online", "target", "ema",
    "model_ema", "ema_model", "averaged_model",
)  # fmt: skip


@dataclass(frozen=True)
class Unwrapped:
    """Tensors without the names of wrappers.

    Attributes:
        tensors: by the names that are left.
        prefix: what was taken off, such as "module.model."; "" for nothing.
        beside: full names of tensors outside the wrapper, without counters.
    """

    tensors: Tensors
    prefix: str = ""
    beside: tuple[str, ...] = ()


def unwrapped(tensors: Tensors) -> Iterator[Unwrapped]:
    """All ways to take wrappers off, first the tensors as they are. Whether one is right, the network has to say.

    A name before all tensors is taken for a wrapper, whatever it is; one before some of them must be a usual one.
    """
    yield Unwrapped(tensors)
    names = {name: name for name in tensors}
    bare = {".".join(part for part in name.split(".") if part not in _ANYWHERE): name for name in tensors}
    if len(bare) == len(names) and bare.keys() != names.keys():
        names = bare
        yield _made(tensors, names, ())
    for inner, beside in _below(names, (), alone=True):
        yield _made(tensors, inner, beside)


def _made(tensors, names, beside):
    name, full = next(iter(names.items()))
    prefix = full.removesuffix(name) if full.endswith(f".{name}") else ""
    return Unwrapped(tensors.under(names), prefix, beside)


def _below(names, beside, alone):
    """(name -> full name of the tensors behind a wrapper, full names beside it), for each wrapper at each depth.

    Args:
        names: name -> full name of the tensors so far.
        beside: full names beside them.
        alone: whether all tensors but counters have been in the same wrappers so far.
    """
    for first in dict.fromkeys(name.partition(".")[0] for name in names if "." in name):
        start = f"{first}."
        inner = {name.removeprefix(start): full for name, full in names.items() if name.startswith(start)}
        others = tuple(
            full for name, full in names.items() if not name.startswith(start) and not COUNTERS.fullmatch(name)
        )
        if not others or (alone and first in _WITH_OTHERS):
            yield inner, (*beside, *others)
            yield from _below(inner, (*beside, *others), alone and not others)
