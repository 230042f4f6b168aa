"""From our tree of blocks to the names that a reference gives its tensors.

A source maps the `reference_key` of our blocks' classes to tables {path inside such a block: path inside theirs}. The
longest path that fits counts; "" is the block itself, a "^" in theirs goes up by one. What no table mentions has the
same name there. A class may have several tables, one for each spelling: that is taken of whose names most are in the
weights. A table may also be made by a function of the block.
"""

import re
from dataclasses import dataclass, field

#: how PyTorch calls what Gluon's normalisations and PReLU call otherwise
TORCH_LEAVES = {"gamma": "weight", "beta": "bias", "alpha": "weight"}


@dataclass(frozen=True)
class Source:
    """How one reference names its tensors.

    tables: `reference_key` of a class of ours -> a table, several, or a function of the block that gives either.
    leaves: parameter name -> name there. unused: regular expressions of whole names that may be left over. absent: of
    names there of biases that may be missing, which are then zeros. changes: regular expression of names there ->
    function of the array that gives what we need, and of ours what they need. parallel: names that all begin with
    "module." come from PyTorch's DataParallel, which puts it there. gluon: it is Gluon, too, so that old files of it
    may have Gluon's own names, see `gluon_names`. companions: regular expression of names there -> the name of a tensor
    of one zero that must stand beside them.
    """

    tables: dict
    leaves: dict = field(default_factory=lambda: TORCH_LEAVES)
    unused: tuple = ()
    absent: tuple = ()
    changes: dict = field(default_factory=dict)
    parallel: bool = True
    gluon: bool = False
    companions: dict = field(default_factory=dict)

    def changed(self, name, value):
        """`value`, of the tensor `name` there, as `changes` says."""
        for pattern, change in self.changes.items():
            value = change(value) if re.fullmatch(pattern, name) else value
        return value


def parameter_names(block, source, known=frozenset(), prefix=""):
    """Our parameter path -> the name there, for all below `block`. known: names that the weights have."""
    best, score = {}, -1
    for table in _tables(block, source):
        names = _walk(block, "", block, table, source, known, prefix)
        found = sum(name in known for name in names.values())
        if found > score:
            best, score = names, found
    return best


def _walk(block, path, owner, table, source, known, prefix):
    """The names below `block`, which lies at `path` in `owner`, the block that `table` is about."""
    names = {}
    for attribute in block._reg_params:
        inside = _joined(path, attribute)
        leaf = inside in table or not source.leaves.get(attribute)
        theirs = _translated(inside, table) if leaf else _joined(_translated(path, table), source.leaves[attribute])
        names[attribute] = _resolved(prefix, theirs)
    for name, child in block._children.items():
        inside = _joined(path, name)
        if _has_table(child, source):
            below = parameter_names(child, source, known, _resolved(prefix, _translated(inside, table)))
        else:
            below = _walk(child, inside, owner, table, source, known, prefix)
        names.update({_joined(name, rest): theirs for rest, theirs in below.items()})
    return names


def _has_table(block, source):
    return any(key in source.tables for key in _keys(block))


def _tables(block, source):
    for key in _keys(block):
        if key in source.tables:
            found = source.tables[key]
            found = found(block) if callable(found) else found
            return [found] if isinstance(found, dict) else found
    return [{}]


def _keys(block):
    """The `reference_key` of the block's class and of those that it inherits from, the nearest first."""
    return [vars(cls)["reference_key"] for cls in type(block).__mro__ if "reference_key" in vars(cls)]


def _translated(path, table):
    """`path` with its longest beginning that the table knows replaced."""
    parts = path.split(".") if path else []
    for count in range(len(parts), -1, -1):
        start = ".".join(parts[:count])
        if start in table:
            return _joined(table[start], ".".join(parts[count:]))
    return path


def _joined(*paths):
    return ".".join(path for path in paths if path)


def _resolved(prefix, path):
    """`path` seen from `prefix`; each "^" in it goes up by one."""
    parts = prefix.split(".") if prefix else []
    for part in path.split(".") if path else ():
        if part == "^":
            parts.pop()
        else:
            parts.append(part)
    return ".".join(parts)
