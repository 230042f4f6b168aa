"""Write the files of one export target: trace the network, transform its graph, serialize it."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

from ..config.card import Card
from ..utils.errors import UserError
from . import graph_edit, onnx, openvino, symbol
from .graph import Graph, trace
from .mxnet_form import graph_for_mxnet
from .targets import ExportTarget


def write_plain(target: ExportTarget, net: mx.gluon.HybridBlock, card: Card, prefix: Path) -> Path:
    """Write a network as PREFIX-symbol.json (and companions) or PREFIX.onnx, in float32, as it was trained.

    The symbol files hold its own operators, so that MXNet can train it further.

    Args:
        target: What to write.
        net: An initialized network, which stays as it is.
        card: Its `Card`.
        prefix: Folder and name of the files, without their endings.

    Returns:
        Path of the file that names the network to `predictor.load`.

    Raises:
        UserError: The target is no float32 symbol or ONNX file, or the network cannot be written as one.
    """
    if target == ExportTarget("symbol"):
        return symbol.write_symbol(trace(net, card), prefix)
    if target == ExportTarget("onnx"):
        return onnx.write_onnx(trace(net, card, plain=True), f"{prefix}{onnx.ENDING}")
    raise UserError(f"option layout files is for float32 symbol and ONNX files alone, not for {target}")


def write_optimized(
    target: ExportTarget,
    net: mx.gluon.HybridBlock,
    card: Card,
    prefix: Path,
    inputs: np.ndarray,
    calibration: str = "naive",
) -> Path:
    """Write the files of a target as PREFIX..., for inference: batch norms are folded into convolutions.

    Args:
        target: What to write.
        net: An initialized network, which stays as it is.
        card: Its `Card`; `card.preprocess` and `card.dynamic` say what the graph takes.
        prefix: Folder and name of the files, without their endings.
        inputs: Inputs of the graph, N first: int8 is calibrated with them, and the fastest of MXNet's graphs is
            measured on them.
        calibration: Quantization ranges of MXNet's int8, one of `precision.CALIBRATIONS`.

    Returns:
        Path of the file that names the network to `predictor.load`.

    Raises:
        UserError: The network cannot be written like this, or a library is missing.
    """
    if target.format == "symbol":
        graph = graph_for_mxnet(target.precision, partial(trace, net, card), inputs, calibration)
        return symbol.write_symbol(graph, prefix)
    return _write_plain(target, partial(trace, net, card), prefix, inputs)


def write_graph(
    target: ExportTarget, net: mx.gluon.HybridBlock, card: Card, prefix: Path, inputs: Sequence[np.ndarray], **ends: Any
) -> Path:
    """Write the files of a target of one of several graphs, which have one card together.

    Args:
        target: What to write; no int8.
        net: The part of a network that the graph computes.
        card: `Card` of the whole.
        prefix: Folder and name of the files, without their endings.
        inputs: One for each input of the graph.
        ends: `ports` and `outputs`, as of `graph.trace`.

    Returns:
        Path of the main file.
    """
    traced = partial(trace, net, card, **ends)
    if target.format == "symbol":
        return symbol.write_part(graph_for_mxnet(target.precision, traced, inputs), prefix)
    return _write_plain(target, traced, prefix)


def _write_plain(
    target: ExportTarget, traced: Callable[..., Graph], prefix: Path, inputs: np.ndarray | None = None
) -> Path:
    graph = graph_edit.fold_norms(traced(plain=True))
    if target.format == "openvino":
        return openvino.write_openvino(graph, f"{prefix}{openvino.ENDING}", target.precision, inputs)
    return onnx.write_onnx(graph, f"{prefix}{onnx.ENDING}", target.precision)
