"""Fill a block of ours with the weights of a reference."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock

from ..nn.params import few, fill, write_tensors
from ..utils.errors import UserError
from ..utils.log import get_logger
from .fit import fitting, is_fixed
from .names import NameMap, find_name_map, parameter_names
from .tensors import Tensors


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

    Counters of batches, the attention of stages that a scheme does not connect, and the names that wrappers put before
    all names (module., _orig_mod., model. and others, see `wrappers`) are ignored. Tensors outside a wrapper are left
    with a warning. Shapes may differ in ones, as those of a dense layer and of a 1x1 convolution. Tensors do not tell
    with which epsilon and padding the reference computes: `gluon-attn convert` says where a network differs there.

    Args:
        block: our block, initialized or not.
        state: tensor name there -> array.
        source: one of `sources()`: "anas" (Attention Neural Architecture Search), "att-darts", "ean" (EAN and DIANet),
            "ecanet" (ECA-Net and its reproduction), "echo", "gluoncv", "open-atac", "timm", "torchvision".

    Raises:
        UserError: a tensor is missing, left over or of another shape; the message names it, and the block is unchanged.
    """
    found = match(block, state, source)
    if found.beside:
        get_logger().warning("took the weights under %s and left %s", found.prefix, few(found.beside))
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
        prefix: names of wrappers that were taken off, such as "module."; "" for none.
        beside: full names of tensors outside the wrappers.
    """

    names: dict[str, str]
    left: tuple[str, ...]
    tensors: Tensors
    name_map: NameMap
    shapes: dict[str, tuple[int, ...]]
    prefix: str = ""
    beside: tuple[str, ...] = ()

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
    fit = fitting(block, name_map, state, source)
    if not fit.fits:
        raise UserError(f"the {source} weights are of another network: {fit.complaint()}")
    own, names, tensors = block._collect_params_with_prefix(), fit.names, fit.found.tensors
    present = {path: names[path] for path in own if names[path] in tensors}
    shapes = {path: param.shape for path, param in own.items()}
    found = Match(present, fit.left, tensors, name_map, shapes, fit.found.prefix, fit.found.beside)
    for path in present:  # checks all shapes
        value = found.array(path)
        if is_fixed(path, own[path]) and (value != _constant(path)).any():
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
    fit = fitting(block, find_name_map(source), state, source)
    tensors, name = fit.found.tensors, fit.names[path]
    return len(tensors[name]) if name in tensors and tensors[name].ndim else None


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
