"""Attention modules and attention networks for MXNet Gluon.

Importing this package prepares the process for MXNet (see `runtime`) but does not load MXNet: a public name is imported
when it is first used. Without a usable MXNet the import raises `ImportError` with one line that says what to install.
"""

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

from . import runtime
from .utils.errors import TrainingError, UserError
from .version import __version__

if TYPE_CHECKING:  # what type checkers and editors see
    from . import convert
    from .attention.base import Attention
    from .attention.factory import get_attention, list_attentions, register_attention
    from .data.base import ArraySet, Dataset
    from .data.factory import register_dataset
    from .models.factory import get_model, list_models, register_model
    from .models.plan import Plan
    from .models.pretrained import load_params, save_params
    from .plugins import load_plugin
    from .runs.compare import compare
    from .runs.evaluate import evaluate
    from .runs.evaluate_objects import evaluate_objects
    from .runs.export import export
    from .runs.optimize import optimize_for_inference
    from .runs.predict_objects import predict_objects
    from .runs.search import search
    from .runs.train import train

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
    "train": ".runs.train",
    "compare": ".runs.compare",
    "evaluate": ".runs.evaluate",
    "evaluate_objects": ".runs.evaluate_objects",
    "predict_objects": ".runs.predict_objects",
    "export": ".runs.export",
    "optimize_for_inference": ".runs.optimize",
    "register_attention": ".attention.factory",
    "register_dataset": ".data.factory",
    "register_model": ".models.factory",
    "load_plugin": ".plugins",
    "Attention": ".attention.base",
    "ArraySet": ".data.base",
    "Dataset": ".data.base",
}

#: parts of the package that are reached as `gluon_attn.NAME` without an import of their own
_PARTS = ("convert", "search")

__all__ = [
    "ArraySet",
    "Attention",
    "Dataset",
    "Plan",
    "TrainingError",
    "UserError",
    "__version__",
    "compare",
    "convert",
    "evaluate",
    "evaluate_objects",
    "export",
    "get_attention",
    "get_model",
    "list_attentions",
    "list_models",
    "load_params",
    "load_plugin",
    "optimize_for_inference",
    "predict_objects",
    "register_attention",
    "register_dataset",
    "register_model",
    "save_params",
    "search",
    "train",
]


class _SearchPackage(types.ModuleType):
    """`gluon_attn.search` is the package of the searches and, called, the function `runs.search.search`."""

    def __call__(self, kind: str, **options: Any) -> Any:
        return importlib.import_module(".runs.search", __package__ or __name__).search(kind, **options)


class _Package(types.ModuleType):
    """This package; Python sets `search` on it when that part is imported, which makes it callable."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "search" and isinstance(value, types.ModuleType):
            value.__class__ = _SearchPackage
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name in _PARTS:
        return importlib.import_module(f".{name}", __name__)
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PARTS, *_PUBLIC})
