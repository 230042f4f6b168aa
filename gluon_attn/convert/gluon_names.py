"""Gluon's own parameter names, which files of `collect_params().save()` have: resnetv1b0_layers1_conv0_weight.

They number the layers of a kind in the order in which they were made: over the network, over each stage (stage1 or
layers1 there) and over the shortcuts of each stage (down1); those of a ResNeXt over the whole stage. Ours number them
over each block.
"""

import re

from mxnet.gluon import HybridBlock

from ..nn.params import few
from ..utils.errors import UserError
from .names import NameMap, parameter_names
from .tensors import Tensors

_BLOCK = re.compile(r"stage(\d+)_block\d+_(down_)?(.*)")
#: blocks inside of a block that have no scope of their own there
_UNNAMED = re.compile(r"^splitattention\d+_")
_COUNTED = re.compile(r"([a-z]+)(\d+)(_.*)")


def structural(block: HybridBlock, name_map: NameMap, tensors: Tensors) -> Tensors:
    """Rename tensors with Gluon's own names to the structural names of a reference; others are returned as they are.

    Args:
        block: our block, from whose layers the names follow.
        name_map: of the reference.
        tensors: the weights.

    Raises:
        UserError: a name fits no layer of the block.
    """
    if not tensors or any("." in name for name in tensors):
        return tensors
    named = name_map.flat.get(vars(type(block)).get("reference_key", ""))
    if named:
        return tensors.renamed(lambda name: named(block, name))
    own, flat, theirs = block._collect_params_with_prefix(), gluon_names(block), parameter_names(block, name_map)
    names: dict[str, str] = {}
    for path, param in own.items():
        names.setdefault(flat[param.name], theirs[path])
    start = _network_prefix(names, tensors)
    unknown = [name for name in tensors if name.removeprefix(start) not in names]
    if unknown:
        raise UserError(f"the weights are of another network: nothing here is called {few(unknown)}")
    return tensors.renamed(lambda name: names[name.removeprefix(start)])


def sorted_names(block: HybridBlock) -> list[str]:
    """Paths of the parameters of `block` in the order in which a `gluon.Trainer` in GluonCV or open-atac has them."""
    flat = gluon_names(block)
    paths: dict[str, str] = {}
    for path, param in block._collect_params_with_prefix().items():
        paths.setdefault(flat[param.name], path)
    return [paths[name] for name in sorted(paths)]


def is_resnext(block: HybridBlock) -> bool:
    """Whether a network or block is one of GluonCV's ResNeXt or SENet: a `TorchResNet` or its block with groups."""
    return getattr(getattr(block, "design", None), "groups", 1) > 1


def gluon_names(block: HybridBlock) -> dict[str, str]:
    """Name of each parameter of `block` -> its name, without the network's prefix, if stages number their layers."""
    counts: dict[tuple[str, str], int] = {}
    seen: dict[str, int] = {}
    names: dict[str, str] = {}
    whole = is_resnext(block)
    for param in block._collect_params_with_prefix().values():
        local = param.name.removeprefix(block.prefix)
        found = _BLOCK.fullmatch(local)
        if found:
            scope = f"down{found[1]}_" if found[2] else f"layers{found[1]}_"
            rest = _UNNAMED.sub("", found[3])
            if whole:
                scope, rest = f"stage{found[1]}_", rest.removeprefix("se0_")
        else:
            scope, rest = "", local.removeprefix("stem_")
        counted = _COUNTED.fullmatch(rest)
        if not counted or rest.startswith("stage"):  # numbered so already
            names[param.name] = local
            continue
        kind, _, tail = counted.groups()
        layer = local[: len(local) - len(tail)]  # the same for all tensors of a layer
        if layer not in seen:
            seen[layer] = counts.get((scope, kind), 0)
            counts[scope, kind] = seen[layer] + 1
        names[param.name] = f"{scope}{kind}{seen[layer]}{tail}"
    return names


def _network_prefix(names, tensors):
    """The network's prefix of every name in the file; "" if none fits all."""
    first = next(iter(tensors))
    starts = {first[: len(first) - len(name)] for name in names if first.endswith(name)}
    fitting = [s for s in starts if all(name.startswith(s) and name[len(s) :] in names for name in tensors)]
    return min(fitting, key=len, default="")
