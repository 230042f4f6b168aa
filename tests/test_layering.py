"""Imports go one way. The files are read, not run, so imports inside functions count too."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "gluon_attn"

#: parts of the package, lowest first: a part may import parts of lower rows and itself
ROWS = (
    ("utils",),
    ("plugins",),
    ("registry", "version", "runtime"),
    ("config", "genotypes"),
    ("nn",),
    ("attention", "data", "checkpoint"),
    ("models", "engine"),
    ("search", "detect", "convert", "deploy", "analyze"),
    ("runs",),
    ("cli",),
    ("__init__", "__main__"),
)
LEVEL = {part: row for row, parts in enumerate(ROWS) for part in parts}
#: importing part -> parts and libraries that it must not import although they are lower
FORBIDDEN = {
    "engine": {"attention", "data"},
    "config": {"mxnet", "gluoncv"},
    "plugins": {"mxnet", "gluoncv"},
    "registry": {"mxnet", "gluoncv"},
}
OPEN_ATTENTION = {"base", "factory"}  # the rest of `attention` is reached by name only


def violations(root):
    """One line for each import below `root` that breaks a rule."""
    found = []
    for path in sorted((root / PACKAGE).rglob("*.py")):
        inside = path.relative_to(root / PACKAGE).with_suffix("").parts
        for line, target in imported(path, (PACKAGE, *inside), root):
            complaint = judge(inside, target)
            if complaint:
                found.append(f"{path.relative_to(root)}:{line} imports {'.'.join(target)}: {complaint}")
    for path in sorted(root.glob("*.py")):
        for line, target in imported(path, (path.stem,), root):
            if target[0] == "tests" or (target[0] == PACKAGE and target[1:2] not in ((), ("cli",))):
                found.append(f"{path.name}:{line} imports {'.'.join(target)}: scripts import {PACKAGE}.cli only")
    return found


def judge(inside, target):
    """Why the file `inside` of the package must not import `target`, or None. Both are tuples of names."""
    part, (library, *rest) = inside[0], target
    if library in ("tests", "conftest"):
        return "nothing imports tests"
    if library == "horovod" and inside != ("engine", "backend"):
        return "only engine/backend.py imports horovod"
    other = library if library != PACKAGE else (rest[0] if rest else "__init__")
    if other in FORBIDDEN.get(part, ()):
        return f"{part} never imports {other}"
    if library != PACKAGE:
        return None
    if part not in LEVEL or other not in LEVEL:
        return f"{part if part not in LEVEL else other} has no place in the order of imports"
    if other == "attention" and len(rest) > 1 and rest[1] not in OPEN_ATTENTION and inside != ("attention", "factory"):
        return "an attention is reached through attention.factory"
    if part != other and LEVEL[other] >= LEVEL[part]:
        return f"{other} is not below {part}"
    return None


def imported(path, module, root):
    """(line, names) of each module that a file imports; `names` is as long as modules go, below `root`."""
    package = module[:-1]  # of a plain file and of an __init__ alike, since its stem counts as a name
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, tuple(alias.name.split("."))) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            base = (*start, *(node.module.split(".") if node.module else ()))
            for alias in node.names:
                whole = (*base, alias.name)
                yield node.lineno, whole if is_module(root, whole) else base
        elif isinstance(node, ast.Call) and called(node) in ("require", "import_module", "__import__"):
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant) and isinstance(name.value, str) and not name.value.startswith("."):
                yield node.lineno, tuple(name.value.split("."))


def called(node):
    """The last name of the function in a call."""
    return getattr(node.func, "attr", getattr(node.func, "id", None))


def is_module(root, names):
    """Whether the dotted name is a file or a folder below `root`."""
    return names[0] == PACKAGE and (
        root.joinpath(*names).with_suffix(".py").is_file() or root.joinpath(*names).is_dir()
    )


def test_imports_go_one_way():
    assert violations(ROOT) == []


def test_the_package_is_read():
    files = list((ROOT / PACKAGE).rglob("*.py"))
    seen = [target for path in files for _, target in imported(path, (PACKAGE, "x"), ROOT)]
    assert len(files) > 20
    assert ("mxnet",) in {target[:1] for target in seen}


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("utils/a.py", "from ..registry import Registry", "registry is not below utils"),
        ("utils/a.py", "def f():\n    from gluon_attn.nn import fast", "nn is not below utils"),
        ("nn/a.py", "from ..attention.base import Attention", "attention is not below nn"),
        ("nn/a.py", "import gluon_attn.models.plan", "models is not below nn"),
        ("nn/a.py", "from .. import models", "models is not below nn"),
        ("nn/a.py", "from gluon_attn import get_model", "__init__ is not below nn"),
        ("data/a.py", "from ..attention.factory import get_attention", "attention is not below data"),
        ("models/a.py", "from ..attention.se import SE", "reached through attention.factory"),
        ("models/a.py", "from ..attention import se", "reached through attention.factory"),
        ("models/a.py", "from ..engine import trainer", "engine is not below models"),
        ("models/a.py", "from ..newpart import x", "newpart has no place"),
        ("attention/cbam.py", "from .se import SE", "reached through attention.factory"),
        ("engine/a.py", "from ..models.plan import Plan", "models is not below engine"),
        ("engine/a.py", "from ..attention.factory import get_attention", "engine never imports attention"),
        ("engine/a.py", "from ..data import factory", "engine never imports data"),
        ("engine/a.py", "import horovod.mxnet as hvd", "only engine/backend.py"),
        ("cli/a.py", "hvd = require('horovod.mxnet')", "only engine/backend.py"),
        ("config/a.py", "def f():\n    import mxnet as mx", "config never imports mxnet"),
        ("registry.py", "from mxnet import nd", "registry never imports mxnet"),
        ("deploy/a.py", "from ..cli.main import main", "cli is not below deploy"),
        ("deploy/a.py", "from ..analyze.cost import count", "analyze is not below deploy"),
        ("cli/a.py", "from tests.conftest import ROOT", "nothing imports tests"),
        ("../train_x.py", "from gluon_attn.engine import trainer", "scripts import gluon_attn.cli only"),
    ],
)
def test_a_violation_is_found(tmp_path, file, source, complaint):
    tree(tmp_path, {file: source})
    assert len(violations(tmp_path)) == 1
    assert complaint in violations(tmp_path)[0]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("registry.py", "from .utils.errors import UserError"),
        ("nn/a.py", "import mxnet as mx\nfrom ..config import base\nfrom . import b"),
        ("models/a.py", "from ..attention import factory\nfrom ..attention.factory import get_attention"),
        ("attention/factory.py", "from . import se\nfrom .base import ATTENTIONS"),
        ("attention/__init__.py", "from .factory import get_attention"),
        ("engine/backend.py", "def f():\n    import horovod.mxnet\n    require('horovod.mxnet')"),
        ("cli/a.py", "from .. import runtime\nfrom ..models.factory import get_model"),
        ("../train_x.py", "import sys\nfrom gluon_attn import cli\nfrom gluon_attn.cli import main"),
    ],
)
def test_a_legal_import_passes(tmp_path, file, source):
    tree(tmp_path, {file: source})
    assert violations(tmp_path) == []


def tree(root, files):
    """A made-up package below `root` with empty modules and the given files."""
    empty = [f"{part}/__init__.py" for part in LEVEL if part not in ("plugins", "registry", "version", "runtime")]
    modules = ["plugins.py", "registry.py", "version.py", "runtime.py", "nn/b.py", "nn/fast.py", "attention/base.py"]
    modules += [
        "attention/factory.py",
        "attention/se.py",
        "models/plan.py",
        "models/factory.py",
        "config/base.py",
    ]
    for name in (*empty, *modules, "newpart/__init__.py"):
        if not name.startswith("__"):
            write(root / PACKAGE / name, "")
    for name, source in files.items():
        write(root / PACKAGE / name, source)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
