"""From our tree of blocks to the tensor names of a reference.

A `NameMap` has tables {path inside our block: path inside the reference's block}. A table's key is the `reference_key`
of our block's class or of a class that it inherits from; names of classes are never looked at. The longest path that
fits counts; "" is the block itself, and each "^" in a path of the reference goes up one level. A path without an entry
has the same name there. A path into a block goes before that block's own table. A block may have several tables, one
for each spelling: the one with the most names in the weights is used. A table may also be made by a function of the
block.
"""

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mxnet.gluon import HybridBlock

from ..utils.errors import UserError

#: PyTorch's names of parameters that Gluon's norms and PReLU name otherwise
TORCH_LEAVES = {"gamma": "weight", "beta": "bias", "alpha": "weight"}
#: source -> module of its `NAME_MAP`
_SOURCES = {
    "anas": "anas",
    "att-darts": "att_darts",
    "ean": "ean",
    "ecanet": "ecanet",
    "echo": "echo",
    "gluoncv": "gluoncv",
    "mmdetection": "mmdetection",
    "open-atac": "open_atac",
    "timm": "timm",
    "torchvision": "torchvision",
}

#: path inside our block -> path inside the reference's
Table = Mapping[str, str]


@dataclass(frozen=True)
class NameMap:
    """How one reference names its tensors.

    Attributes:
        tables: `reference_key` -> a table, a list of tables, or a function of the block that gives either.
        leaves: name of our parameter -> its name there.
        unused: regular expressions of tensor names there that may be left over.
        absent: regular expressions of names there of biases that may be missing; they are zeros then.
        changes: regular expression of names there -> function of the array, the same in both directions.
        gluon: whether the reference is written in Gluon, so that old files may have Gluon's own names, see
            `gluon_names`.
        companions: regular expression of names there -> name of a tensor of one zero that must accompany it.
        prefers_ema: whether the reference itself loads the EMA of a checkpoint that has one.
    """

    tables: Mapping[str, Table | Sequence[Table] | Callable[[Any], Table | Sequence[Table]]]
    leaves: Mapping[str, str] = field(default_factory=lambda: TORCH_LEAVES)
    unused: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    changes: Mapping[str, Callable[[np.ndarray], np.ndarray]] = field(default_factory=dict)
    gluon: bool = False
    companions: Mapping[str, str] = field(default_factory=dict)
    prefers_ema: bool = False

    def changed(self, name: str, value: np.ndarray) -> np.ndarray:
        """Apply `changes` to a tensor.

        Args:
            name: its name there.
            value: the tensor.
        """
        for pattern, change in self.changes.items():
            value = change(value) if re.fullmatch(pattern, name) else value
        return value


def sources() -> list[str]:
    """Names of the references whose weights can be read, sorted."""
    return sorted(_SOURCES)


def find_name_map(source: str) -> NameMap:
    """The `NameMap` of a source.

    Raises:
        UserError: the name is unknown.
    """
    if source not in _SOURCES:
        raise UserError(f"unknown source {source!r}; choose from {', '.join(sources())}")
    return importlib.import_module(f".{_SOURCES[source]}", __package__).NAME_MAP


def parameter_names(
    block: HybridBlock, name_map: NameMap, known: AbstractSet[str] = frozenset(), prefix: str = ""
) -> dict[str, str]:
    """Our parameter path -> the name there, for all parameters of a block.

    Args:
        block: our block.
        name_map: of the reference.
        known: names in the weights, which decide between several tables; without them the first one is used.
        prefix: path of the block there.
    """
    best: dict[str, str] = {}
    score = -1
    for table in _tables(block, name_map):
        names = _walk(block, "", block, table, name_map, known, prefix)
        found = sum(name in known for name in names.values())
        if found > score:
            best, score = names, found
    return best


def _walk(block, path, owner, table, name_map, known, prefix):
    """The names below `block`, which is at `path` in `owner`, the block of `table`."""
    names = {}
    for attribute in block._reg_params:
        inside = _joined(path, attribute)
        leaf = inside in table or not name_map.leaves.get(attribute)
        theirs = _translated(inside, table) if leaf else _joined(_translated(path, table), name_map.leaves[attribute])
        names[attribute] = _resolved(prefix, theirs)
    for name, child in block._children.items():
        inside = _joined(path, name)
        into = any(key.startswith(f"{inside}.") for key in table)  # the owner's table knows the inside of the child
        if _has_table(child, name_map) and not into:
            below = parameter_names(child, name_map, known, _resolved(prefix, _translated(inside, table)))
        else:
            below = _walk(child, inside, owner, table, name_map, known, prefix)
        names.update({_joined(name, rest): theirs for rest, theirs in below.items()})
    return names


def _has_table(block, name_map):
    return any(key in name_map.tables for key in _keys(block))


def _tables(block, name_map):
    for key in _keys(block):
        if key in name_map.tables:
            found = name_map.tables[key]
            found = found(block) if callable(found) else found
            return [found] if isinstance(found, dict) else found
    return [{}]


def _keys(block):
    """The `reference_key` of the block's class and of those that it inherits from, the nearest first."""
    return [vars(cls)["reference_key"] for cls in type(block).__mro__ if "reference_key" in vars(cls)]


def _translated(path, table):
    """`path` with the longest prefix that is in the table replaced."""
    parts = path.split(".") if path else []
    for count in range(len(parts), -1, -1):
        start = ".".join(parts[:count])
        if start in table:
            return _joined(table[start], ".".join(parts[count:]))
    return path


def _joined(*paths):
    return ".".join(path for path in paths if path)


def _resolved(prefix, path):
    """`prefix.path`; each "^" in the path goes up one level."""
    parts = prefix.split(".") if prefix else []
    for part in path.split(".") if path else ():
        if part == "^":
            parts.pop()
        else:
            parts.append(part)
    return ".".join(parts)
