"""Folders to hand on: a form's files, card.json and a program that loads them; checked before they are in place."""

import contextlib
import importlib.metadata
import platform
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..utils.errors import UserError
from ..utils.files import atomic_path, ensure_dir, sha256, write_json, write_text
from ..utils.log import get_logger
from . import predictor, targets
from .evaluate import score
from .example_script import program
from .export import random_images

CARD, PROGRAM = "card.json", "example.py"
#: what `versions` in a card tells of, where it is installed
_LIBRARIES = ("mxnet", "numpy", "onnx", "onnxruntime", "openvino", "nncf")


@dataclass(frozen=True)
class Material:
    """What a package is checked with. All images are uint8.

    test: images with labels (see `data.base`), or None: then nothing is known of the accuracy. calibration: images
    N,H,W,C for int8, which needs them. max_drop: of the accuracy, from 0 to 1. method: of MXNet's int8.
    """

    test: object = None
    dataset: str = ""
    calibration: np.ndarray | None = None
    max_drop: float = 0.01
    method: str = "naive"


@dataclass(frozen=True)
class Packed:
    """One folder: `path`, its `Form`, what its card says."""

    path: Path
    form: targets.Form
    card: dict

    def __str__(self):
        found = self.card["check"]
        line = f"{self.form!s:18} {self.path}: largest difference {found['difference']:.1e} of the largest logit"
        accuracy = self.card["accuracy"]
        if accuracy:
            line += f", accuracy {accuracy['before']:.2%} -> {accuracy['after']:.2%} on {accuracy['images']} images"
        return line


def pack(net, card, name, wanted, output, material=None):
    """Write OUTPUT/FORM (such as openvino-int8) for each `Form` in `wanted`; returns a list of `Packed`.

    net: an initialized network, which stays as it is; card: its `Card`, whose `preprocess` and `dynamic` say what the
    graph takes; name: of the files. Each form is loaded back and compared with the network; one that differs by more
    than its number type explains, or loses more than `material.max_drop` of the accuracy, is a `UserError`, and
    nothing is written.
    """
    material, output = material or Material(), ensure_dir(output)
    if any(form.precision == "int8" for form in wanted) and material.calibration is None:
        raise UserError("int8 is calibrated with images: name a data set with --dataset, --data-dir or --rec-val")
    before = predictor.of_network(net, card.replace(preprocess=False, dynamic=False))
    reference = score(before, material.test) if material.test is not None else None
    packed = []
    with contextlib.ExitStack() as places:
        for form in wanted:
            folder = places.enter_context(atomic_path(output / str(form)))
            folder.mkdir()
            described = _form(net, card, folder / name, form, material, (before, reference))
            packed.append(Packed(output / str(form), form, described))
    return packed


def _form(net, card, prefix, form, material, before):
    """Write one form and what goes with it; returns its card."""
    images = random_images(card, 16) if material.calibration is None else material.calibration
    inputs = predictor.graph_inputs(card, images)
    path = targets.write(form, net, card, prefix, inputs, material.method)
    found = predictor.load(path)
    check = _compare(form, before[0], found, images[:16])
    if card.dynamic:
        _other_size(form, before[0], found)
    accuracy = _accuracy(form, before[1], found, material)
    files = sorted(item.name for item in path.parent.iterdir())
    described = {
        **card.to_dict(),
        "format": form.format, "precision": form.precision, "file": path.name, "input": _input(card),
        "accuracy": accuracy, "check": check, "versions": _versions(),
        "sha256": {file: sha256(path.parent / file) for file in files},
    }  # fmt: skip
    write_json(path.parent / CARD, described)
    write_text(path.parent / PROGRAM, program(form, path, card))
    return described


def _input(card):
    """Name, shape (None: free) and type of what the graph takes."""
    channels, height, width = card.input_shape
    height, width = (None, None) if card.dynamic else (height, width)
    if card.preprocess:
        return {"name": "data", "shape": [None, height, width, channels], "dtype": "uint8"}
    return {"name": "data", "shape": [None, channels, height, width], "dtype": "float32"}


def _compare(form, before, after, images):
    """How far the form is from the network, relative to the largest logit; too far is a `UserError`."""
    expected, found = before.predict(images), after.predict(images)
    scale = max(float(np.abs(expected).max()), np.finfo(np.float32).tiny)
    difference = float(np.abs(found - expected).max()) / scale
    if not difference <= targets.ROUNDING[form.precision] or not np.isfinite(found).all():
        raise UserError(
            f"nothing was exported: {form} differs from the network by {difference:.1e} of the largest logit"
        )
    return {"images": len(images), "difference": difference}


def _other_size(form, before, after):
    """That the form computes the same for another size, neither its own nor square."""
    _, height, width = before.card.input_shape
    images = random_images(before.card.replace(input_shape=(3, height + 32, width + 64)), 2)
    free = predictor.Predictor(before.kind, before.card.replace(dynamic=True), before.forward)
    try:
        _compare(form, free, after, images)
    except Exception as error:  # each engine has its own
        reason = str(error).strip().splitlines()[-1]
        raise UserError(f"this network takes one size of images only: leave --dynamic out ({reason})") from None


def _accuracy(form, reference, after, material):
    """Accuracy before and after, or None without labels; a drop above `max_drop` is a `UserError`."""
    if reference is None:
        if form.precision == "int8":
            get_logger().warning("%s: without test images its accuracy is not known", form)
        return None
    correct = score(after, material.test).correct
    first, last = (count / reference.images for count in (reference.correct, correct))
    if first - last > material.max_drop:
        raise UserError(
            f"nothing was exported: {form} has {last:.2%} instead of {first:.2%} on {reference.images} images, a drop "
            f"above {material.max_drop:.2%}; raise --max-drop, or take other calibration images or another --precision"
        )
    return {"dataset": material.dataset, "images": reference.images, "before": first, "after": last}


def _versions():
    found = {"python": platform.python_version()}
    for library in _LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[library] = importlib.metadata.version(library)
    return found
