"""Names that NumPy has removed and MXNet 1.9.1 and GluonCV 0.10.5 still ask it for."""

import builtins
import types
from collections.abc import Callable, Mapping
from typing import Any

_BUILTINS = ("bool", "int", "float", "object", "complex", "str")  # removed in NumPy 1.24
#: removed in NumPy 2.0 to 2.4 -> what takes their place
_RENAMED = {
    "Inf": "inf", "PINF": "inf", "NAN": "nan", "NaN": "nan", "alltrue": "all", "sometrue": "any", "product": "prod",
    "round_": "round", "trapz": "trapezoid",
}  # fmt: skip
#: functions of finance, which NumPy 1 only kept to say that they are gone
_FINANCE = ("mirr", "npv", "pmt", "ppmt", "pv", "rate")


def removed_names(numpy: Any) -> Mapping[str, Any]:
    """What NumPy lacks of them -> its value.

    Args:
        numpy: the module; nothing is asked of it that it warns about.

    Returns:
        In the order in which NumPy removed them; empty with NumPy 1.23.
    """
    wanted: dict[str, Any] = {name: getattr(builtins, name) for name in _BUILTINS}
    if int(numpy.__version__.split(".")[0]) >= 2:
        wanted |= {name: getattr(numpy, new) for name, new in _RENAMED.items()}
        wanted |= {
            "NINF": -numpy.inf, "PZERO": 0.0, "NZERO": -0.0, "compat": types.SimpleNamespace(basestring=str),
            "in1d": _in1d(numpy), "msort": lambda a: numpy.sort(a, axis=0),
        }  # fmt: skip
        wanted |= {name: _gone(name) for name in _FINANCE}
    return {name: value for name, value in wanted.items() if name not in vars(numpy)}


def restore_names(numpy: Any) -> list[str]:
    """Put back what is missing; the names."""
    missing = removed_names(numpy)
    for name, value in missing.items():
        setattr(numpy, name, value)
    return list(missing)


def _in1d(numpy: Any) -> Callable[..., Any]:
    def in1d(ar1, ar2, assume_unique=False, invert=False, **options):
        return numpy.isin(numpy.ravel(ar1), ar2, assume_unique=assume_unique, invert=invert, **options)

    return in1d


def _gone(name: str) -> Callable[..., Any]:
    def gone(*_args, **_options):
        raise RuntimeError(f"NumPy has no {name} any more: the package numpy-financial has it")

    gone.__name__ = name
    return gone
