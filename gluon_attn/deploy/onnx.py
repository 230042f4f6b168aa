"""ONNX files: converted by MXNet, then tidied: weights as initializers, free batch size, a name for every node."""

import contextlib
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

from ..config.card import Card
from ..nn.symbol_graph import SymbolGraph
from ..utils.errors import UserError
from ..utils.files import write_bytes
from ..utils.log import without_root_messages
from ..utils.optional import require
from ..utils.paths import check_utf8
from . import onnx_ops
from .graph import BATCH, Graph

ENDING = ".onnx"
#: the newest operator set that MXNet 1.9's converters write, and the IR version that belongs to it
OPSET, IR_VERSION = 13, 7
#: the same where rois are pooled: RoiAlign has had `coordinate_transformation_mode` since then, other operators of
#: `OPSET` mean the same
ROI_OPSET, ROI_IR_VERSION = 16, 8
CARD_KEY = "gluon_attn.card"


def write_onnx(graph: Graph, path: Path | str, precision: str = "float32") -> Path:
    """Write a graph as one ONNX file, see `onnx_bytes`; returns its path."""
    write_bytes(path, onnx_bytes(graph, precision))
    return Path(path)


def onnx_bytes(graph: Graph, precision: str = "float32") -> bytes:
    """The content of an ONNX file of a graph, checked by onnx's checker.

    Inputs and outputs are the graph's. Of a classifier: input `data` is N,C,H,W float32 or, with preprocessing, N,H,W,C
    uint8; output `logits` is N,classes float32. N is free, with `card.dynamic` H and W as well. The card is in the
    file's metadata under `gluon_attn.card`.

    Args:
        graph: Traced with plain operators.
        precision: "float32", or "float16": weights of two axes and more in float16, with a cast after each.

    Raises:
        UserError: An operator cannot be written as ONNX, or the onnx library is missing.
    """
    onnx = require("onnx")
    opset, ir_version = (ROI_OPSET, ROI_IR_VERSION) if _pools_rois(graph) else (OPSET, IR_VERSION)
    proto = _convert(onnx, graph, opset)
    _tidy(proto, graph)
    if precision == "float16":
        _float16_weights(onnx, proto)
    model = onnx.helper.make_model(
        proto,
        producer_name="gluon_attn",
        opset_imports=[onnx.helper.make_opsetid("", opset)],
        ir_version=ir_version,
    )
    onnx.helper.set_model_props(model, {CARD_KEY: json.dumps(graph.card.to_dict())})
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise UserError(f"the ONNX graph of this network is not valid: {error}") from None
    return model.SerializeToString()


def _pools_rois(graph: Graph) -> bool:
    return any(node.op == onnx_ops.ROI_ALIGN for node in SymbolGraph.read(graph.symbol).nodes)


def _convert(onnx: Any, graph: Graph, opset: int) -> Any:
    """MXNet's conversion, in memory, as `OPSET`, checked as `opset`."""
    from mxnet.onnx.mx2onnx._export_onnx import MXNetGraph

    onnx_ops.register()
    by_name = {port.name: port for port in graph.inputs}
    ports = [by_name[name] for name in graph.symbol.list_inputs() if name in by_name]  # the order it expects
    elements = [onnx.helper.np_dtype_to_tensor_dtype(np.dtype(port.dtype)) for port in ports]
    free = [tuple(port.free.get(axis, length) for axis, length in enumerate(port.shape)) for port in ports]
    # a converter prints for debugging, another warns of every use of `dot`
    with _checked_as(onnx, opset), contextlib.redirect_stdout(io.StringIO()), without_root_messages():
        try:
            return MXNetGraph().create_onnx_graph_proto(
                _without_layouts(graph.symbol),
                graph.tensors,
                [port.shape for port in ports],
                elements,
                opset_version=OPSET,
                dynamic=True,
                dynamic_input_shapes=free,
            )
        except (AttributeError, NotImplementedError) as error:  # what the converters raise on an unknown operator
            raise UserError(f"this network cannot be written as ONNX: {error}") from None


@contextlib.contextmanager
def _checked_as(onnx: Any, opset: int) -> Iterator[None]:
    """Let MXNet check its graph against `opset` and not against the newest operators that the onnx library knows."""
    context = onnx.checker.DEFAULT_CONTEXT
    before = context.opset_imports
    context.opset_imports = {"": opset}
    try:
        yield
    finally:
        context.opset_imports = before


def _without_layouts(symbol: mx.sym.Symbol) -> mx.sym.Symbol:
    """The symbol without layout NCW, the default: the converter refuses the attribute and handles the operator."""
    graph = SymbolGraph.read(symbol)
    for node in graph.nodes:
        if node.attrs.get("layout") == "NCW":
            del node.attrs["layout"]
    return graph.to_symbol()


def _tidy(proto: Any, graph: Graph) -> None:
    """In place: only the graph's inputs and outputs, in its order and by its names, and a name for every node."""
    given = {item.name: item for item in proto.input}
    inputs = [given[port.name] for port in graph.inputs if port.name in given]
    del proto.input[:]
    proto.input.extend(inputs)
    proto.name = graph.card.model or "gluon_attn"
    names = dict(zip(_output_names(graph), graph.outputs, strict=True))
    for node in proto.node:
        node.name = node.name or node.output[0]
        for used in (node.input, node.output):
            used[:] = [names.get(name, name) for name in used]
    made = {names[item.name]: item for item in proto.output}
    outputs = [made[name] for name in graph.outputs]
    del proto.output[:]
    proto.output.extend(outputs)
    shapes = graph.symbol.infer_shape(**graph.shapes)[1]
    free = graph.inputs[-1].free.get(0, BATCH)  # a head's output has a row for each place in its last input
    for item, name, shape in zip(proto.output, graph.outputs, shapes, strict=True):
        item.name = name
        sizes = item.type.tensor_type.shape.dim
        if graph.ports is None or len(shape) == 2:
            sizes[-1].dim_value = shape[-1]
        sizes[0].dim_param = free


def _output_names(graph: Graph) -> list[str]:
    """What MXNet's exporter calls the outputs."""
    return [name.removesuffix("_output") for name in graph.symbol.list_outputs()]


def _float16_weights(onnx: Any, proto: Any) -> None:
    """In place: weights in float16, each with a cast after it, which an engine does once."""
    casts = []
    for tensor in proto.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) > 1:
            name, value = tensor.name, onnx.numpy_helper.to_array(tensor)
            tensor.CopyFrom(onnx.numpy_helper.from_array(value.astype(np.float16), f"{name}.float16"))
            casts.append(onnx.helper.make_node("Cast", [tensor.name], [name], name, to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *proto.node]
    del proto.node[:]
    proto.node.extend(nodes)


def open_session(path: Path | str) -> tuple[Any, Card]:
    """Open a file that `write_onnx` wrote.

    Args:
        path: The file.

    Returns:
        (ONNX Runtime session on the CPU, `Card`).

    Raises:
        UserError: The file is damaged or not from `write_onnx`, or ONNX Runtime is missing.
    """
    runtime = require("onnxruntime")
    check_utf8(path, "ONNX Runtime")
    options = runtime.SessionOptions()
    threads = os.environ.get("OMP_NUM_THREADS", "")
    options.intra_op_num_threads = int(threads) if threads.isdigit() else 0
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors are raised as well
    try:
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has no common class of errors
        reason = type(error).__name__
        raise UserError(f"{path} is damaged or not an ONNX file ({reason})") from None
    try:
        card = session.get_modelmeta().custom_metadata_map.get(CARD_KEY)  # as UTF-8
        found = None if card is None else Card.from_dict(json.loads(card))
    except (ValueError, UserError) as error:
        raise UserError(f"{path}: its card cannot be read ({error})") from None
    if found is None:
        raise UserError(f"{path} holds no card: it was not written by gluon-attn export")
    return session, found
