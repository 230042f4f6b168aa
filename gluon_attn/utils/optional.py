"""Libraries that come with an extra, imported at the place of use."""

import contextlib
import importlib
import sys

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
}


def require(module):
    """Import and return `module`; a missing one is a `UserError` that names the extra to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        extra = EXTRAS[module]
        raise UserError(f"{module} is needed for this: pip install 'gluon-attn[{extra}]' ({error})") from None


class _NoTorch:
    """A finder of modules that answers for PyTorch alone: it is not there."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError("hidden", name=name)


@contextlib.contextmanager
def without_torch():
    """Inside, PyTorch cannot be imported: GluonCV looks for it and ends with an error where it is newer than 1.x."""
    torch = sys.modules.pop("torch", None)
    sys.meta_path.insert(0, _NoTorch)
    try:
        yield
    finally:
        sys.meta_path.remove(_NoTorch)
        if torch is not None:
            sys.modules["torch"] = torch
