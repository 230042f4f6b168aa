"""Attention modules and attention networks for MXNet Gluon.

Importing this package prepares the process for MXNet (see `runtime`) but does not load MXNet: a public name
is imported when it is first used. Without a usable MXNet the import raises `ImportError` with one line that
says what to install.
"""

import importlib

from . import runtime
from .version import __version__

runtime.start()

#: public name -> the module that defines it
_PUBLIC = {
    "get_attention": ".attention.factory",
    "list_attentions": ".attention.factory",
    "get_model": ".models.factory",
    "list_models": ".models.factory",
    "load_params": ".models.pretrained",
    "save_params": ".models.pretrained",
    "Plan": ".models.plan",
}

#: parts of the package that are reached as `gluon_attn.NAME` without an import of their own
_PARTS = ("convert",)

__all__ = [  # noqa: PLE0604, F822, RUF100 - the names are made by __getattr__
    "Plan",
    "__version__",
    "convert",
    "get_attention",
    "get_model",
    "list_attentions",
    "list_models",
    "load_params",
    "save_params",
]


def __getattr__(name):
    if name in _PARTS:
        return importlib.import_module(f".{name}", __name__)
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name], __name__), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_PARTS, *_PUBLIC})
