"""Write the files of one export target: trace the network, transform its graph, serialize it."""

from pathlib import Path

import mxnet as mx
import numpy as np

from ..config.card import Card
from ..utils.errors import UserError
from . import graph_edit, onnx, openvino, precision, symbol
from .graph import Graph, trace
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
        return symbol.write_symbol(_graph_for_mxnet(target.precision, net, card, inputs, calibration), prefix)
    graph = graph_edit.fold_norms(trace(net, card, plain=True))
    if target.format == "openvino":
        return openvino.write_openvino(graph, f"{prefix}{openvino.ENDING}", target.precision, inputs)
    return onnx.write_onnx(graph, f"{prefix}{onnx.ENDING}", target.precision)


def _graph_for_mxnet(kind: str, net: mx.gluon.HybridBlock, card: Card, inputs: np.ndarray, calibration: str) -> Graph:
    """The graph that MXNet runs fastest in this precision."""
    graphs = {
        plain: graph_edit.norms_as_convolutions(graph_edit.fold_norms(trace(net, card, plain)))
        for plain in (False, True)
    }
    if kind == "bfloat16":  # not fused: fusion loses ten times the digits
        graphs = {plain: precision.to_bfloat16(graph) for plain, graph in graphs.items()}
    graph = graphs[precision.fastest_graph(graphs, inputs)]
    if kind == "float16":
        return graph_edit.float16_weights(graph)
    if kind == "int8":
        return precision.to_int8(graph, inputs, calibration)
    if kind == "float32":
        graphs = {False: graph, True: precision.fuse_for_onednn(graph)}
        return graphs[precision.fastest_graph(graphs, inputs)]
    return graph
