"""Libraries that come with an extra, imported at the place of use."""

import importlib

from .errors import UserError

#: module -> the extra of setup.py that installs it
EXTRAS = {
    "horovod.mxnet": "horovod",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "openvino": "openvino",
    "torch": "torch",
    "safetensors": "torch",
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
