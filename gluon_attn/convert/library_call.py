"""A network of timm, torchvision or GluonCV: the call that makes it, and its logits where the library is installed."""

import contextlib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..utils.optional import without_torch
from .files import read_weights


@dataclass(frozen=True)
class Counterpart:
    """A network of another library.

    Attributes:
        library: "timm", "torchvision" or "gluoncv".
        name: of the network there.
        options: of its constructor there.
    """

    library: str
    name: str
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """The call that makes it."""
        words = "".join(f", {key}={value!r}" for key, value in self.options.items())
        if self.library == "torchvision":
            return f"torchvision.models.{self.name}({words[2:]})"
        return (
            f"{'timm.create_model' if self.library == 'timm' else 'gluoncv.model_zoo.get_model'}({self.name!r}{words})"
        )

    def logits(
        self, path: Path | str, images: np.ndarray, tensors: Mapping[str, np.ndarray] | None = None
    ) -> np.ndarray | None:
        """Run the network of the other library.

        Args:
            path: file of its weights, under its names.
            images: (N,3,H,W), float32, normalized.
            tensors: the weights for a network in PyTorch, where they were read already (default: those in the file).

        Returns:
            Logits (N,classes); None if the library is not installed.
        """
        with contextlib.suppress(ImportError):
            if self.library == "gluoncv":
                return _gluon_logits(self, path, images)
            return _torch_logits(self, read_weights(path).tensors if tensors is None else tensors, images)
        return None


def _torch_logits(made, tensors, images):
    library = importlib.import_module(made.library if made.library == "timm" else "torchvision.models")
    torch = importlib.import_module("torch")
    make = library.create_model if made.library == "timm" else getattr(library, "get_model")  # noqa: B009
    net = make(made.name, **made.options).eval()
    net.load_state_dict({name: torch.from_numpy(np.array(tensors[name])) for name in tensors})
    with torch.no_grad():
        return net(torch.from_numpy(images)).numpy()


def _gluon_logits(made, path, images):
    import mxnet as mx

    with without_torch():
        zoo = importlib.import_module("gluoncv.model_zoo")
    net = zoo.get_model(made.name, pretrained=False, **made.options)
    net.load_parameters(str(path))
    return net(mx.nd.array(images)).asnumpy()
