"""From a trained network to files: written aside, loaded back, compared, and only then put in place."""

import contextlib
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..utils.errors import UserError
from ..utils.files import atomic_path, ensure_dir
from ..utils.seed import generator
from . import onnx, predictor, symbol
from .check import compare
from .graph import trace
from .load_run import load_run

FORMATS = ("symbol", "onnx")


def export_symbol(net, card, prefix):
    """Write PREFIX-symbol.json, PREFIX-0000.params and PREFIX-card.json; returns the first one's path.

    net: an initialized network, which stays as it is. card: its `Card`; `card.preprocess` puts the preprocessing into
    the graph. All files or none are written; a target that cannot be written is a `UserError`.
    """
    return _export(net, card, prefix, "symbol")


def export_onnx(net, card, path):
    """Write one ONNX file; returns its path. Arguments and errors as for `export_symbol`; PATH ends in .onnx."""
    return _export(net, card, str(path).removesuffix(onnx.ENDING), "onnx")


def export_run(run, formats=("symbol",), output=None, preprocess=False, images=None, check=True):
    """Export a run folder's best network as NAME-symbol.json (and companions) or NAME.onnx, NAME the folder's name.

    formats: of `FORMATS`. output: folder (default RUN/export). preprocess: the graph takes raw images. images:
    N,H,W,C uint8 to compare with (default: random ones). check: load each file back and compare it with the network.
    Returns (paths, list of `Agreement`). Nothing is written when a file differs (`UserError`).
    """
    net, card = load_run(run)
    card = card.replace(preprocess=preprocess)
    name = Path(run).resolve().name
    expected = None
    if check:
        images = random_images(card) if images is None else images
        expected = predictor.of_network(net, card.replace(preprocess=False)).predict(images)
    agreements = []
    with staged(Path(output or Path(run) / "export")) as (scratch, folder):
        paths = [_write(net, card, scratch / name, kind) for kind in formats]
        for path in paths if check else ():
            agreement = compare(path, images, expected)
            agreements.append(replace(agreement, path=str(folder / path.name)))
            if not agreement.good:
                raise UserError(f"nothing was exported: {agreements[-1]}")
    return [folder / path.name for path in paths], agreements


def random_images(card, count=64):
    """Noise of the card's size, the same each time: `count`,H,W,C uint8."""
    channels, height, width = card.input_shape
    return generator(0).integers(0, 256, (count, height, width, channels), dtype=np.uint8)


def _export(net, card, prefix, kind):
    prefix = Path(prefix)
    with staged(prefix.parent) as (scratch, folder):
        path = _write(net, card, scratch / prefix.name, kind)
    return folder / path.name


def _write(net, card, prefix, kind):
    if kind == "symbol":
        return symbol.write_symbol(trace(net, card), prefix)
    if kind == "onnx":
        return onnx.write_onnx(trace(net, card, plain=True), f"{prefix}{onnx.ENDING}")
    raise UserError(f"unknown format {kind!r}; choose from {', '.join(FORMATS)}")


@contextlib.contextmanager
def staged(folder):
    """Yield (scratch folder, folder); at the end what is in the first moves to the second, unless something failed."""
    existed = folder.exists()
    folder = ensure_dir(folder)
    scratch = Path(tempfile.mkdtemp(prefix=".export.", dir=folder))
    try:
        yield scratch, folder
        files = sorted(scratch.iterdir())
        for file in files:
            if (folder / file.name).is_dir():
                raise UserError(f"cannot write {folder / file.name}: it is a folder; choose another --output")
        for file in files:
            with atomic_path(folder / file.name) as target:
                os.replace(file, target)
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        if not existed:
            with contextlib.suppress(OSError):  # not empty: all went well
                folder.rmdir()
