"""A deploy bundle: the folder of one export target, with card.json and a program that loads its files."""

import contextlib
import importlib.metadata
import platform
from pathlib import Path
from typing import Any

from ..config.card import Card
from ..utils.files import sha256, write_json, write_text
from .check import Agreement
from .example_script import example_script
from .targets import ExportTarget

CARD, EXAMPLE = "card.json", "example.py"
#: libraries whose versions a card holds, where they are installed
_LIBRARIES = ("mxnet", "numpy", "onnx", "onnxruntime", "openvino", "nncf")


def complete_bundle(
    target: ExportTarget, path: Path, card: Card, agreement: Agreement, accuracy: dict[str, Any] | None
) -> dict[str, Any]:
    """Write card.json and example.py beside the files of an export target.

    Args:
        target: What was written.
        path: The file that stands for all, in the folder of the bundle.
        card: `Card` of the network.
        agreement: How the file compares with the network.
        accuracy: Accuracy before and after the export, None where it is not known.

    Returns:
        What card.json holds: the network's card, format, precision, main file, input, accuracy, check, versions of the
        libraries and SHA-256 of the files.
    """
    own = {"file": path.name, "input": _input(card), "accuracy": accuracy}
    check = {"images": agreement.images, "difference": agreement.difference}
    return write_bundle(target, path.parent, card, own, check, example_script(target, path, card))


def write_bundle(
    target: ExportTarget, folder: Path, card: Card, own: dict[str, Any], check: dict[str, Any], example: str
) -> dict[str, Any]:
    """Write card.json and example.py beside the files that are in a folder.

    Args:
        target: What was written.
        folder: Of the bundle.
        card: `Card` of the network.
        own: What the card says of the files.
        check: How they compare with the network.
        example: Text of the program.

    Returns:
        What card.json holds.
    """
    files = sorted(item.name for item in folder.iterdir())
    described = {
        **card.to_dict(),
        "format": target.format,
        "precision": target.precision,
        **own,
        "check": check,
        "versions": _versions(),
        "sha256": {file: sha256(folder / file) for file in files},
    }
    write_json(folder / CARD, described)
    write_text(folder / EXAMPLE, example)
    return described


def _input(card: Card) -> dict[str, Any]:
    """Name, shape (None: free) and dtype of what the graph takes."""
    channels, height, width = card.input_shape
    size = (None, None) if card.dynamic else (height, width)
    if card.preprocess:
        return {"name": "data", "shape": [None, *size, channels], "dtype": "uint8"}
    return {"name": "data", "shape": [None, channels, *size], "dtype": "float32"}


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for library in _LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[library] = importlib.metadata.version(library)
    return found
