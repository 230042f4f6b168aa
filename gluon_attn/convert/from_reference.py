"""Fills a block of ours with the weights of a reference."""

import importlib
import re
from dataclasses import dataclass

import mxnet as mx
import numpy as np

from ..nn.params import few, fill
from ..utils.errors import UserError
from ..utils.files import atomic_path
from .gluon_names import structural
from .names import Source, parameter_names
from .tensors import Tensors

#: source -> the module that declares it
_SOURCES = {
    "anas": "anas",
    "att-darts": "att_darts",
    "ean": "ean",
    "ecanet": "ecanet",
    "echo": "echo",
    "gluoncv": "gluoncv",
    "open-atac": "open_atac",
    "timm": "timm",
    "torchvision": "torchvision",
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
    return parameter_names(block, find_source(source), frozenset(state))


def load_reference(block, state, source):
    """Fill `block`, initialized or not, with the weights of a reference.

    state: tensor name there -> NumPy array. source: one of `sources()`: "anas" (Attention Neural Architecture Search),
    "att-darts", "ean" (EAN and DIANet), "ecanet" (ECA-Net and its reproduction), "echo", "gluoncv", "open-atac",
    "timm", "torchvision".
    Strict: a missing, left-over or wrongly shaped tensor is a `UserError` that names it, and the block is left as it
    was. Counters of batches, and what a scheme leaves without use, are passed over, and so is the "module." that
    DataParallel puts before every name. Shapes may differ in ones, as those of a dense layer and of a 1x1 convolution.
    """
    found = match(block, state, source)
    for path, param in block._collect_params_with_prefix().items():
        value = found.array(path)
        fill(param, mx.nd.array(value, dtype=value.dtype))


@dataclass(frozen=True)
class Match:
    """Weights of a reference that fit a block: `array(path)` is what the parameter of that path gets.

    names: our path -> name there, of those that the weights have. left: the names that nothing here needs.
    """

    names: dict
    left: tuple
    tensors: Tensors
    source: Source
    shapes: dict

    def array(self, path):
        """The NumPy array for a parameter of ours, in its shape."""
        if path not in self.names:  # a norm's scale or shift that is switched off, a bias that is not there
            return np.full(self.shapes[path], _constant(path), np.float32)
        name = self.names[path]
        return _value(self.source, self.tensors[name], self.shapes[path], name)


def match(block, state, source):
    """The `Match` of a block and a reference's weights, as strict as `load_reference`, which says what is what."""
    kind = find_source(source)
    tensors = _plain(block, kind, state)
    names = parameter_names(block, kind, frozenset(tensors))
    own = block._collect_params_with_prefix()
    needless = {names[path] for path, param in own.items() if _is_fixed(path, param)}
    needless |= {name for name in names.values() if any(re.fullmatch(pattern, name) for pattern in kind.absent)}
    missing = [names[path] for path in own if names[path] not in tensors and names[path] not in needless]
    used = set(names.values())
    passed = [_COUNTERS, *map(re.compile, kind.unused)]
    left = [name for name in tensors if name not in used]
    _complain(source, missing, [name for name in left if not any(p.fullmatch(name) for p in passed)])
    there = {path: names[path] for path in own if names[path] in tensors}
    found = Match(there, tuple(left), tensors, kind, {path: param.shape for path, param in own.items()})
    for path in there:  # the shapes of all
        value = found.array(path)
        if _is_fixed(path, own[path]) and (value != _constant(path)).any():
            raise UserError(f"{names[path]} scales or shifts, which the normalisation here does not")
    return found


def save_match(found, path):
    """Write a `Match` as parameter file of the block, whole or not at all; no block needs to be filled for it."""
    arrays = {name: mx.nd.array(found.array(name), dtype=np.float32) for name in found.shapes}
    with atomic_path(path) as staged:
        mx.nd.save(str(staged), arrays)


def rows(block, state, source, path):
    """First length of the tensor that the weights have for a parameter of ours, None where they have none."""
    kind = find_source(source)
    tensors = _plain(block, kind, state)
    name = parameter_names(block, kind, frozenset(tensors))[path]
    return len(tensors[name]) if name in tensors and tensors[name].ndim else None


def find_source(name):
    """The `Source` of a name."""
    if name not in _SOURCES:
        raise UserError(f"unknown source {name!r}; choose from {', '.join(sources())}")
    return importlib.import_module(f".{_SOURCES[name]}", __package__).SOURCE


def _plain(block, kind, state):
    """`Tensors` under the names that the tables know."""
    tensors = Tensors.of(state)
    if kind.parallel and tensors and all(name.startswith("module.") for name in tensors):
        return tensors.renamed(lambda name: name.removeprefix("module."))
    return structural(block, kind, tensors) if kind.gluon else tensors


def _complain(source, missing, extra):
    if missing or extra:
        missing = list(dict.fromkeys(missing))
        parts = [f"they lack {few(missing)}"] * bool(missing) + [f"they have {few(extra)} besides"] * bool(extra)
        raise UserError(f"the {source} weights are of another network: {', '.join(parts)}")


def _is_fixed(path, param):
    """Whether it is the scale or shift of a normalisation that has none."""
    return param.grad_req == "null" and path.rpartition(".")[2] in ("gamma", "beta")


def _constant(path):
    return float(path.endswith("gamma"))


def _value(source, value, shape, name):
    """`value` in our shape, from which it may differ in ones; a 0 in ours is a size that is not known yet."""
    value = source.changed(name, value)
    if shape is None or (0 in shape and len(shape) == value.ndim):
        return value
    if [n for n in shape if n != 1] != [n for n in value.shape if n != 1]:
        raise UserError(f"{name} has shape {value.shape} in the weights, here {shape}")
    return value.reshape(shape)
