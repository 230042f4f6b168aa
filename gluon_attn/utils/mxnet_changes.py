"""What is changed in MXNet 1.9.1 for NumPy 2, once it has loaded.

Functions keep their identity, file and line numbers: only their code is replaced, by that of their own source with one
exact text exchanged. A text that is not there (another build of MXNet) leaves the function alone and gives one warning.
"""

import ast
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import sys
import textwrap
import types
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_NAME, _TEXT_OF = "mxnet", "_text_of"


@dataclass(frozen=True)
class Change:
    """One exact text of a function.

    Attributes:
        module: its module.
        function: its name there, with its class if it has one.
        old, new: the text and what takes its place.
        reason: why.
        since: the first version of NumPy (major, minor) that needs it.
    """

    module: str
    function: str
    old: str
    new: str
    reason: str
    since: tuple[int, int]


_TEXT = "NumPy 2 writes the type of numbers inside tuples"
_TOSTRING = "NumPy 2.3 has no ndarray.tostring"
_ONE = "in NumPy 2.4 an array of one number with axes is no number"
_SUM = "in NumPy 2 a Python number plus a float32 is a float32, in which sums lose digits"
_TOTAL = "self.sum_metric = numpy.float64()"
CHANGES = (
    Change("mxnet.symbol.symbol", "var", "str(shape)", f"{_TEXT_OF}(shape)", _TEXT, (2, 0)),
    Change("mxnet.recordio", "pack", "label.tostring()", "label.tobytes()", _TOSTRING, (2, 3)),
    Change("mxnet.recordio", "pack_img", "buf.tostring()", "buf.tobytes()", _TOSTRING, (2, 3)),
    Change("mxnet.ndarray.ndarray", "NDArray.asscalar", "asnumpy()[()]", "asnumpy().reshape(())[()]", _ONE, (2, 4)),
    Change("mxnet.contrib.quantization", "_get_optimal_threshold", "threshold = threshold.asnumpy()",
           "threshold = threshold.asscalar()", _ONE, (2, 4)),
    Change("mxnet.contrib.quantization", "_get_optimal_threshold", "divergence = divergence.asnumpy()",
           "divergence = divergence.asscalar()", _ONE, (2, 4)),
    Change("mxnet.metric", "EvalMetric.reset", "self.sum_metric = 0.0", _TOTAL, _SUM, (2, 0)),
    Change("mxnet.metric", "EvalMetric.reset", "self.global_sum_metric = 0.0",
           "self.global_sum_metric = numpy.float64()", _SUM, (2, 0)),
    Change("mxnet.metric", "EvalMetric.reset_local", "self.sum_metric = 0.0", _TOTAL, _SUM, (2, 0)),
)  # fmt: skip
#: modules that hand parameters to the library as str(value), and use `str` for nothing else: they get another one
TEXTS = ("mxnet._ctypes.ndarray", "mxnet._ctypes.symbol")


def needed(version: str) -> list[str]:
    """What a version of NumPy needs changed, as `doctor` shows it."""
    number = _number(version)
    texts = ["parameters as text"] if number >= (2, 0) else []
    return [*texts, *dict.fromkeys(f"{one.module}.{one.function}" for one in CHANGES if number >= one.since)]


def change_when_loaded(version: str, modules: Mapping[str, Any] = sys.modules) -> None:
    """Change MXNet for a version of NumPy: now if it is loaded, otherwise when it has been.

    Args:
        version: of NumPy.
        modules: the modules that are loaded.
    """
    if not needed(version):
        return
    if _NAME in modules:
        apply(version)
    else:
        sys.meta_path.insert(0, _Finder(version))


def apply(version: str, changes: Sequence[Change] = CHANGES) -> None:
    """Change the modules of a loaded MXNet for a version of NumPy.

    Args:
        version: of NumPy.
        changes: what to change.
    """
    number = _number(version)
    if number >= (2, 0):
        for name in TEXTS:  # a name of the module comes before Python's own
            module = _found(name)
            if module is None:
                _warn(name, _TEXT)
            else:
                vars(module)["str"] = text_of
    due = [change for change in changes if number >= change.since]
    for place in dict.fromkeys((change.module, change.function) for change in due):
        _exchange(*place, [change for change in due if (change.module, change.function) == place])


def text_of(value: Any) -> str:
    """The text of a parameter, as NumPy 1 made it: (2, 3), not (np.int64(2), np.int64(3)).

    Args:
        value: of a parameter: a number, a text, a tuple or list of such.
    """
    if isinstance(value, tuple):
        return f"({', '.join(map(_inner, value))}{',' if len(value) == 1 else ''})"
    return f"[{', '.join(map(_inner, value))}]" if isinstance(value, list) else str(value)


def _inner(value: Any) -> str:
    if isinstance(value, tuple | list):
        return text_of(value)
    plain = hasattr(value, "dtype") and not isinstance(value, str) and getattr(value, "shape", None) == ()
    return str(value) if plain else repr(value)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _exchange(module: str, name: str, changes: Sequence[Change]) -> None:
    """Give a function the code of its source with texts exchanged, all of them or none."""
    function: Any = _found(module)
    for part in name.split("."):
        function = getattr(function, part, None)
    lines, first = inspect.getsourcelines(function) if inspect.isfunction(function) else ([], 0)
    source = textwrap.dedent("".join(lines))
    for change in changes:
        if source.count(change.old) != 1:
            _warn(f"{module}.{name}", change.reason)
            return
        source = source.replace(change.old, change.new)
    tree = ast.parse(source)
    ast.increment_lineno(tree, first - 1)
    code = compile(tree, function.__code__.co_filename, "exec")
    function.__globals__[_TEXT_OF] = text_of
    function.__code__ = next(
        one for one in code.co_consts if isinstance(one, types.CodeType) and one.co_name == function.__name__
    )


def _found(module: str) -> types.ModuleType | None:
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def _warn(name: str, reason: str) -> None:
    text = f"{name} is not that of MXNet 1.9.1 and stays as it is: {reason}"
    warnings.warn(text, RuntimeWarning, stacklevel=2)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds MXNet as usual, and changes it once it has loaded; it goes with the first attempt."""

    def __init__(self, version: str):
        self.version = version

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of MXNet, whose loader does the rest; None for other modules."""
        if fullname != _NAME:
            return None
        with self._away():
            spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module: types.ModuleType) -> None:
                load(module)
                with contextlib.suppress(ValueError):
                    sys.meta_path.remove(self)
                apply(self.version)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    @contextlib.contextmanager
    def _away(self) -> Iterator[None]:
        sys.meta_path.remove(self)
        try:
            yield
        finally:
            sys.meta_path.insert(0, self)
