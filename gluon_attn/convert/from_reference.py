"""Fill a block of ours with the weights of a reference."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock

from ..nn.params import few, fill, write_tensors
from ..utils.errors import UserError
from .gluon_names import structural
from .names import NameMap, find_name_map, parameter_names
from .tensors import Tensors

_COUNTERS = re.compile(r"(.*\.)?num_batches_tracked")


def reference_names(block: HybridBlock, source: str, state: Collection[str] = ()) -> dict[str, str]:
    """Our parameter path -> the name of that tensor in the reference.

    Args:
        block: our block.
        source: one of `sources()`.
        state: names of the reference's tensors, which decide between several spellings; without them the usual one is
            given.

    Returns:
        The names; a module that several blocks share appears under each of its paths.

    Raises:
        UserError: the source is unknown.
    """
    return parameter_names(block, find_name_map(source), frozenset(state))


def load_reference(block: HybridBlock, state: Mapping[str, np.ndarray], source: str) -> None:
    """Fill a block with the weights of a reference.

    Counters of batches, the attention of stages that a scheme does not connect, and the "module." that DataParallel
    puts before every name are ignored. Shapes may differ in ones, as those of a dense layer and of a 1x1 convolution.

    Args:
        block: our block, initialized or not.
        state: tensor name there -> array.
        source: one of `sources()`: "anas" (Attention Neural Architecture Search), "att-darts", "ean" (EAN and DIANet),
            "ecanet" (ECA-Net and its reproduction), "echo", "gluoncv", "open-atac", "timm", "torchvision".

    Raises:
        UserError: a tensor is missing, left over or of another shape; the message names it, and the block is unchanged.
    """
    found = match(block, state, source)
    for path, param in block._collect_params_with_prefix().items():
        value = found.array(path)
        fill(param, mx.nd.array(value, dtype=value.dtype))


@dataclass(frozen=True)
class Match:
    """Weights of a reference that fit a block.

    Attributes:
        names: our parameter path -> name there, of those that the weights have.
        left: names there that no parameter needs.
        tensors: the weights.
        name_map: of the reference.
        shapes: our parameter path -> our shape.
    """

    names: dict[str, str]
    left: tuple[str, ...]
    tensors: Tensors
    name_map: NameMap
    shapes: dict[str, tuple[int, ...]]

    def array(self, path: str) -> np.ndarray:
        """The array for the parameter at `path`, in its shape."""
        if path not in self.names:  # a norm's scale or shift that is switched off, or a missing bias
            return np.full(self.shapes[path], _constant(path), np.float32)
        name = self.names[path]
        return _value(self.name_map, self.tensors[name], self.shapes[path], name)


def match(block: HybridBlock, state: Mapping[str, np.ndarray], source: str) -> Match:
    """Match the weights of a reference to the parameters of a block, which is left unchanged.

    Args:
        block, state, source: as of `load_reference`.

    Raises:
        UserError: as `load_reference`.
    """
    name_map = find_name_map(source)
    tensors = _with_table_names(block, name_map, state)
    names = parameter_names(block, name_map, frozenset(tensors))
    own = block._collect_params_with_prefix()
    needless = {names[path] for path, param in own.items() if _is_fixed(path, param)}
    needless |= {name for name in names.values() if any(re.fullmatch(pattern, name) for pattern in name_map.absent)}
    missing = [names[path] for path in own if names[path] not in tensors and names[path] not in needless]
    used = set(names.values())
    ignored = [_COUNTERS, *map(re.compile, name_map.unused)]
    left = [name for name in tensors if name not in used]
    _complain(source, missing, [name for name in left if not any(p.fullmatch(name) for p in ignored)])
    present = {path: names[path] for path in own if names[path] in tensors}
    found = Match(present, tuple(left), tensors, name_map, {path: param.shape for path, param in own.items()})
    for path in present:  # checks all shapes
        value = found.array(path)
        if _is_fixed(path, own[path]) and (value != _constant(path)).any():
            raise UserError(f"{names[path]} scales or shifts, which the normalization here does not")
    return found


def save_match(found: Match, path: Path | str) -> None:
    """Write a match as a parameter file of the block, whole or not at all.

    Args:
        found: a match; its block need not be filled.
        path: the parameter file.
    """
    write_tensors(path, {name: mx.nd.array(found.array(name), dtype=np.float32) for name in found.shapes})


def rows(block: HybridBlock, state: Mapping[str, np.ndarray], source: str, path: str) -> int | None:
    """Length of the first axis of a tensor.

    Args:
        block, state, source: as of `load_reference`.
        path: path of our parameter.

    Returns:
        The length; None if the weights lack the tensor.
    """
    name_map = find_name_map(source)
    tensors = _with_table_names(block, name_map, state)
    name = parameter_names(block, name_map, frozenset(tensors))[path]
    return len(tensors[name]) if name in tensors and tensors[name].ndim else None


def _with_table_names(block, name_map, state):
    """`Tensors` under the names that the tables have."""
    tensors = Tensors.of(state)
    if name_map.parallel and tensors and all(name.startswith("module.") for name in tensors):
        return tensors.renamed(lambda name: name.removeprefix("module."))
    return structural(block, name_map, tensors) if name_map.gluon else tensors


def _complain(source, missing, extra):
    if missing or extra:
        missing = list(dict.fromkeys(missing))
        parts = [f"they lack {few(missing)}"] * bool(missing) + [f"they have {few(extra)} in addition"] * bool(extra)
        raise UserError(f"the {source} weights are of another network: {', '.join(parts)}")


def _is_fixed(path, param):
    """Whether it is the scale or shift of a norm without one."""
    return param.grad_req == "null" and path.rpartition(".")[2] in ("gamma", "beta")


def _constant(path):
    return float(path.endswith("gamma"))


def _value(name_map, value, shape, name):
    """`value` in our shape; they may differ in ones, and a 0 in ours is a size that is not known yet."""
    value = name_map.changed(name, value)
    if shape is None or (0 in shape and len(shape) == value.ndim):
        return value
    if [n for n in shape if n != 1] != [n for n in value.shape if n != 1]:
        raise UserError(f"{name} has shape {value.shape} in the weights, here {shape}")
    return value.reshape(shape)
