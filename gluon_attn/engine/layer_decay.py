"""Layer-wise learning-rate decay, from the output back to the input."""

from collections.abc import Iterator

from mxnet.gluon import HybridBlock, Parameter, nn

from ..utils.errors import UserError
from .prepare_network import new_parameters


def decay_layers(net: HybridBlock, factor: float) -> None:
    """Multiply the learning rate of each parameter by `factor` once for each group after its own, as timm does.

    The classifier has the learning rate itself, the last block `factor` times it, the block before `factor`**2, the
    stem of a network with n blocks `factor`**(n + 1). It is set as `lr_mult`, so every schedule stays. What does not
    come from the pretrained weights, such as a new attention, keeps the whole rate, wherever it is.

    Args:
        net: the network; its parameters are changed.
        factor: from 0 to 1, such as 0.75.
    """
    params = net._collect_params_with_prefix()
    new = {id(params[name]) for name in new_parameters(net)}
    for depth, group in enumerate(reversed(layer_groups(net))):
        for param in group:
            param.lr_mult = 1.0 if id(param) in new else factor**depth


def layer_groups(net: HybridBlock) -> list[list[Parameter]]:
    """The parameters in groups from input to output: the stem, each block, the classifier.

    A block is a child, below sequences, that is no layer of Gluon's: a residual block, a cell, a module between stages.
    Layers after a block belong to its group, but for the last layer of the network, the classifier.

    Args:
        net: the network.

    Raises:
        UserError: the network has no blocks.
    """
    groups: list[list[Parameter]] = [[]]
    seen: set[int] = set()
    units = list(_units(net))
    if all(_is_layer(unit) for unit in units):
        raise UserError("option layer_decay needs a network of blocks, this one has none")
    for unit in units:
        if not _is_layer(unit) or unit is units[-1]:
            groups.append([])
        for param in unit.collect_params().values():
            if id(param) not in seen:  # what blocks share belongs to the first of them
                seen.add(id(param))
                groups[-1].append(param)
    return groups


def _units(block: HybridBlock) -> Iterator[HybridBlock]:
    """The children with parameters, in order; sequences are opened."""
    for child in block._children.values():
        if isinstance(child, (nn.Sequential, nn.HybridSequential)):
            yield from _units(child)
        elif child.collect_params().keys():
            yield child


def _is_layer(block):
    return any(cls.__module__.startswith(nn.__name__) for cls in type(block).__mro__)
