"""Export a network: trace, transform and write each target to a scratch folder, verify it, then move all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

from ..config.card import Card
from ..models.base import network_text
from ..utils.errors import UserError
from ..utils.log import get_logger
from ..utils.paths import check_utf8
from ..utils.progress import Progress
from . import onnx
from .bundle import complete_bundle
from .check import ROUNDING, TOLERANCE, Agreement
from .detector_check import DetectionAgreement
from .load_run import load_run
from .predictor import graph_inputs, load, random_images
from .staging import staged
from .targets import ExportTarget
from .verify import ExportChecks, Reference
from .write import write_optimized, write_plain

#: what `export_run` writes
FORMATS = ("symbol", "onnx")
#: format -> what reads its files, and takes UTF-8 paths only
READERS = {"onnx": "ONNX Runtime", "openvino": "OpenVINO"}


@dataclass(frozen=True)
class Exported:
    """One target that was exported.

    Attributes:
        target: What it is.
        path: Folder of the bundle, or with layout "files" the file that stands for all.
        agreement: How it compares with the network; None if that was not checked.
        card: What the bundle's card.json holds, or with layout "files" the network's `Card` as plain data.
        accuracy: {"dataset", "images", "before", "after"}; None where it is not known.
    """

    target: ExportTarget
    path: Path
    agreement: Agreement | DetectionAgreement | None
    card: dict[str, Any] = field(repr=False)
    accuracy: dict[str, Any] | None = None


def export_network(
    net: mx.gluon.HybridBlock,
    card: Card,
    name: str,
    targets: Sequence[ExportTarget],
    output: Path | str,
    layout: str = "folders",
    checks: ExportChecks | None = None,
) -> list[Exported]:
    """Export a network to files that MXNet, ONNX Runtime or OpenVINO read.

    Args:
        net: An initialized network, which stays as it is.
        card: Its `Card`; `card.preprocess` and `card.dynamic` say what the graph takes.
        name: Name of the files, without endings.
        targets: What to write.
        output: Folder to write to.
        layout: "folders": a bundle for each target in OUTPUT/TARGET, optimized for inference. "files": all side by
            side in OUTPUT, as the network was trained; float32 symbol and ONNX files alone.
        checks: Images to verify and calibrate with (default: random ones, and no int8).

    Raises:
        UserError: A target cannot be written here, differs from the network by more than its precision explains, or
            loses more accuracy than `checks.max_drop`. Nothing is written then.
    """
    checks = checks or ExportChecks()
    if checks.calibration is None and any(target.precision == "int8" for target in targets):
        raise UserError(
            "int8 is calibrated with images: name a data set with option dataset, option data_dir or option rec_val"
        )
    with Progress("computing with the network that is exported"):
        reference = Reference(net, card, checks)
    export_one = _export_file if layout == "files" else _export_bundle
    for target in targets:
        if target.format in READERS:
            check_utf8(Path(output) / name, READERS[target.format])
    about = name, network_text({"model": card.model, "plan": card.plan}), ", ".join(map(str, targets)), output
    with staged(Path(output), layout) as place, Progress("exporting", len(targets), "target") as progress:
        get_logger().info("exporting %s (%s) as %s to %s", *about)
        exported = []
        for target in targets:
            progress.update(0, str(target))
            exported.append(export_one(reference, name, target, *place(target)))
            progress.update(1, str(target))
        return exported


def _export_file(reference: Reference, name: str, target: ExportTarget, scratch: Path, folder: Path) -> Exported:
    """Write to `scratch` the files that will be in `folder`, and verify them."""
    path = write_plain(target, reference.net, reference.card, scratch / name)
    agreement = None
    if reference.checks.compare:
        agreement = reference.agreement(load(path), folder / path.name, target, TOLERANCE)
    return Exported(target, folder / path.name, agreement, reference.card.to_dict())


def _export_bundle(reference: Reference, name: str, target: ExportTarget, scratch: Path, folder: Path) -> Exported:
    """Write to `scratch` the bundle that will be `folder`, and verify it."""
    card, checks, tolerance = reference.card, reference.checks, ROUNDING[target.precision]
    images = random_images(card, 16) if checks.calibration is None else checks.calibration
    inputs = graph_inputs(card, images)
    path = write_optimized(target, reference.net, card, scratch / name, inputs, checks.calibration_method)
    loaded = load(path)
    agreement = reference.agreement(loaded, folder, target, tolerance)
    if card.dynamic:
        reference.check_other_size(loaded, folder, target, tolerance)
    accuracy = reference.accuracy(loaded, target)
    described = complete_bundle(target, path, card, agreement, accuracy)
    return Exported(target, folder, agreement, described, accuracy)


def export_symbol(net: mx.gluon.HybridBlock, card: Card, prefix: Path | str) -> Path:
    """Write PREFIX-symbol.json, PREFIX-0000.params and PREFIX-card.json, unchecked; returns the first one's path.

    Args:
        net: An initialized network, which stays as it is.
        card: Its `Card`; `card.preprocess` puts the preprocessing into the graph.
        prefix: Folder and name of the files.

    Raises:
        UserError: The network cannot be exported, or the files cannot be written. Nothing is left then.
    """
    return _export_unchecked(net, card, Path(prefix), "symbol")


def export_onnx(net: mx.gluon.HybridBlock, card: Card, path: Path | str) -> Path:
    """Write one ONNX file, unchecked; returns its path.

    Args:
        net: An initialized network, which stays as it is.
        card: Its `Card`; `card.preprocess` puts the preprocessing into the graph.
        path: The file, whose name ends in .onnx.

    Raises:
        UserError: The network cannot be exported, or the file cannot be written. Nothing is left then.
    """
    return _export_unchecked(net, card, Path(str(path).removesuffix(onnx.ENDING)), "onnx")


def _export_unchecked(net: mx.gluon.HybridBlock, card: Card, prefix: Path, kind: str) -> Path:
    checks = ExportChecks(compare=False)
    (exported,) = export_network(net, card, prefix.name, [ExportTarget(kind)], prefix.parent, "files", checks)
    return exported.path


def export_run(
    run: Path | str,
    formats: Sequence[str] = ("symbol",),
    output: Path | str | None = None,
    preprocess: bool = False,
    images: np.ndarray | None = None,
    check: bool = True,
) -> list[Exported]:
    """Export the best network of a run folder as NAME-symbol.json (and companions) and NAME.onnx, NAME the folder's.

    Args:
        run: The run folder.
        formats: Some of `FORMATS`.
        output: Folder to write to (default: RUN/export).
        preprocess: The graph takes raw images: uint8, N,H,W,C.
        images: N,H,W,C uint8 to compare the files with the network on (default: random ones).
        check: Load each file back and compare it.

    Returns:
        An `Exported` for each format, without an `agreement` if not `check`.

    Raises:
        UserError: There is no such run or format, or a file differs. Nothing is written then.
    """
    targets = [ExportTarget(kind) for kind in formats]
    net, card = load_run(run)
    card = card.replace(preprocess=preprocess)
    checks = ExportChecks(random_images(card) if images is None else images, compare=check)
    name = Path(run).resolve().name
    return export_network(net, card, name, targets, output or Path(run) / "export", "files", checks)
