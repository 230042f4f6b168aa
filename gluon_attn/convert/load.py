"""Fills a block of ours with the weights of a reference."""

import importlib
import re

import mxnet as mx
import numpy as np

from ..nn.params import few, fill
from ..utils.errors import UserError
from .names import parameter_names

#: source -> the module that declares it
_SOURCES = {
    "anas": "anas",
    "att-darts": "att_darts",
    "ean": "ean",
    "ecanet": "ecanet",
    "echo": "echo",
    "open-atac": "open_atac",
    "timm": "timm",
}
_COUNTERS = re.compile(r"(.*\.)?num_batches_tracked")


def sources():
    """Names of the references that can be read, sorted."""
    return sorted(_SOURCES)


def reference_names(block, source, state=()):
    """Our parameter path -> the name of that tensor in the reference.

    state: the reference's tensor names, which decide where it has several spellings; without it the usual one is
    given. A module that several blocks share stands under each of its paths.
    """
    return parameter_names(block, _source(source), frozenset(state))


def load_reference(block, state, source):
    """Fill `block`, initialized or not, with the weights of a reference.

    state: tensor name there -> NumPy array. source: one of `sources()`: "anas" (Attention Neural Architecture Search),
    "att-darts", "ean" (EAN and DIANet), "ecanet" (ECA-Net and its reproduction), "echo", "open-atac", "timm".
    Strict: a missing, left-over or wrongly shaped tensor is a `UserError` that names it, and the block is left as it
    was. Counters of batches, and what a scheme leaves without use, are passed over, and so is the "module." that
    DataParallel puts before every name. Shapes may differ in ones, as those of a dense layer and of a 1x1 convolution.
    """
    kind = _source(source)
    if kind.parallel and state and all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): value for name, value in state.items()}
    names, values = parameter_names(block, kind, frozenset(state)), {}
    own = block._collect_params_with_prefix()
    missing = []
    for path, param in own.items():
        if names[path] in state:
            values[path] = _value(kind, state[names[path]], param.shape, names[path])
            if _is_fixed(path, param) and (values[path] != _constant(path)).any():
                raise UserError(f"{names[path]} scales or shifts, which the normalisation here does not")
        elif _is_fixed(path, param):
            values[path] = np.full(param.shape, _constant(path), np.float32)
        else:
            missing.append(names[path])
    used = set(names.values())
    passed = [_COUNTERS, *map(re.compile, kind.unused)]
    extra = [name for name in state if name not in used and not any(p.fullmatch(name) for p in passed)]
    if missing or extra:
        missing = list(dict.fromkeys(missing))
        parts = [f"they lack {few(missing)}"] * bool(missing) + [f"they have {few(extra)} besides"] * bool(extra)
        raise UserError(f"the {source} weights are of another network: {', '.join(parts)}")
    for path, value in values.items():
        fill(own[path], mx.nd.array(value, dtype=value.dtype))


def _source(name):
    if name not in _SOURCES:
        raise UserError(f"unknown source {name!r}; choose from {', '.join(sources())}")
    return importlib.import_module(f".{_SOURCES[name]}", __package__).SOURCE


def _is_fixed(path, param):
    """Whether it is the scale or shift of a normalisation that has none."""
    return param.grad_req == "null" and path.rpartition(".")[2] in ("gamma", "beta")


def _constant(path):
    return float(path.endswith("gamma"))


def _value(source, value, shape, name):
    """`value` in our shape, from which it may differ in ones; a 0 in ours is a size that is not known yet."""
    value = np.asarray(value)
    for pattern, change in source.changes.items():
        value = change(value) if re.fullmatch(pattern, name) else value
    if shape is None or (0 in shape and len(shape) == value.ndim):
        return value
    if [n for n in shape if n != 1] != [n for n in value.shape if n != 1]:
        raise UserError(f"{name} has shape {value.shape} in the weights, here {shape}")
    return value.reshape(shape)
