"""Gluon's own parameter names, which files of `collect_params().save()` have: resnetv1b0_layers1_conv0_weight.

They count the layers of a kind through in the order in which they were made: over the network, over each stage (there
called stage1 or layers1) and over each stage's shortcuts (down1). Ours count over each block.
"""

import re

from ..nn.params import few
from ..utils.errors import UserError
from .names import parameter_names

_BLOCK = re.compile(r"stage(\d+)_block\d+_(down_)?(.*)")
_COUNTED = re.compile(r"([a-z]+)(\d+)(_.*)")


def structural(block, source, tensors):
    """`tensors` under the structural names of the source, where they have Gluon's own names; else as they are."""
    if not tensors or any("." in name for name in tensors):
        return tensors
    own, flat, theirs = block._collect_params_with_prefix(), gluon_names(block), parameter_names(block, source)
    names = {}
    for path, param in own.items():
        names.setdefault(flat[param.name], theirs[path])
    start = _network_prefix(names, tensors)
    unknown = [name for name in tensors if name.removeprefix(start) not in names]
    if unknown:
        raise UserError(f"the weights are of another network: nothing here is called {few(unknown)}")
    return tensors.renamed(lambda name: names[name.removeprefix(start)])


def sorted_names(block):
    """Paths of our parameters in the order in which a `gluon.Trainer` of GluonCV or open-atac has them."""
    flat = gluon_names(block)
    paths = {}
    for path, param in block._collect_params_with_prefix().items():
        paths.setdefault(flat[param.name], path)
    return [paths[name] for name in sorted(paths)]


def gluon_names(block):
    """Gluon's name of each of our parameters -> the name, without the network's prefix, where stages count through."""
    counts, seen, names = {}, {}, {}
    for param in block._collect_params_with_prefix().values():
        local = param.name.removeprefix(block.prefix)
        found = _BLOCK.fullmatch(local)
        if found:
            scope, rest = (f"down{found[1]}_" if found[2] else f"layers{found[1]}_"), found[3]
        else:
            scope, rest = "", local.removeprefix("stem_")
        counted = _COUNTED.fullmatch(rest)
        if not counted or rest.startswith("stage"):  # counted through already
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
    """What stands before every name of the file, the network's own prefix there; "" where nothing fits all."""
    first = next(iter(tensors))
    starts = {first[: len(first) - len(name)] for name in names if first.endswith(name)}
    fitting = [s for s in starts if all(name.startswith(s) and name[len(s) :] in names for name in tensors)]
    return min(fitting, key=len, default="")
