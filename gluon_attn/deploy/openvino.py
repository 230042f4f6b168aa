"""OpenVINO's own files, NAME.xml and NAME.bin: made from the ONNX file, quantized to int8 by NNCF."""

import contextlib
import errno
import functools
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from ..config.card import Card
from ..utils.errors import UserError, engine_reason
from ..utils.files import atomic_paths
from ..utils.optional import require
from ..utils.paths import check_utf8
from ..utils.progress import Progress
from . import int8_exclusions
from .graph import Graph
from .onnx import CARD_KEY, onnx_bytes
from .openvino_activations import use_hard_activations

ENDING = ".xml"
#: operations that pool rois or take them apart
_OF_ROIS = {"Convert", "ROIAlign", "Split", "Squeeze", "VariadicSplit"}
_MARGIN = 1 << 20  # bytes that files may take besides their constants
#: precision -> value of INFERENCE_PRECISION_HINT; int8 files hold it themselves and leave the rest to OpenVINO
HINTS = {"float32": "f32", "float16": "f32", "bfloat16": "bf16"}


def write_openvino(
    graph: Graph, path: Path | str, precision: str = "float32", inputs: np.ndarray | None = None
) -> Path:
    """Write a graph as PATH (.xml) with its .bin. Input and output are as in the ONNX file.

    Args:
        graph: Traced with plain operators.
        path: The file, which is returned.
        precision: "float32"; "float16": weights in float16; "bfloat16": a note in the file, which `open_model` reads;
            "int8": quantized, gates and softmax left in float.
        inputs: Inputs of the graph to calibrate int8 with, N first.

    Raises:
        UserError: The graph cannot be converted, or OpenVINO or NNCF is missing.
    """
    openvino = require("openvino")
    path = Path(path)
    model = _core().read_model(onnx_bytes(graph))  # convert_model would send telemetry
    use_hard_activations(openvino, model)
    if precision == "int8":
        model = _quantize(model, np.asarray(inputs))
    for key, text in ((CARD_KEY, json.dumps(graph.card.to_dict())), ("gluon_attn.precision", precision)):
        model.set_rt_info(text, key.split("."))
    with atomic_paths(path, path.with_suffix(".bin")) as (staged, _):
        _save(openvino, model, staged, precision)
        if precision == "bfloat16":
            _keep_rois(staged)
    return path


def _save(openvino: Any, model: Any, path: Path, precision: str) -> None:
    """`openvino.save_model`, with an `OSError` where the files do not fit on the disk."""
    try:
        openvino.save_model(model, str(path), compress_to_fp16=precision == "float16")
    except RuntimeError as error:  # of a stream, without a reason: Python knows it
        constants = (node for node in model.get_ops() if node.get_type_name() == "Constant")
        path.write_bytes(bytes(_MARGIN + 2 * sum(node.get_byte_size() for node in constants)))
        raise UserError(f"OpenVINO cannot write this network: {engine_reason(error)}") from None
    try:
        data = ElementTree.parse(path).iter("data")
        end = max((int(item.get("offset", 0)) + int(item.get("size", 0)) for item in data), default=0)
    except ElementTree.ParseError:
        end = None
    if end is None or path.with_suffix(".bin").stat().st_size < end:  # earlier releases do not notice it
        raise OSError(errno.ENOSPC, "OpenVINO wrote a part of it; is the disk full?")


def _keep_rois(path: Path) -> None:
    """Mark what pools rois, in the file of a model, so that OpenVINO does not round their corners to bfloat16."""
    tree = ElementTree.parse(path)
    layers = [layer for layer in tree.iter("layer") if layer.get("type") in _OF_ROIS]
    if not any(layer.get("type") == "ROIAlign" for layer in layers):
        return
    for layer in layers:
        found = layer.find("rt_info")
        info = ElementTree.SubElement(layer, "rt_info") if found is None else found
        ElementTree.SubElement(info, "attribute", {"name": "precise", "version": "0"})
    path.write_bytes(ElementTree.tostring(tree.getroot()))


def _quantize(model: Any, inputs: np.ndarray) -> Any:
    """The model in int8, by NNCF's post-training quantization."""
    os.environ.setdefault("NNCF_CI", "1")  # no telemetry
    nncf = require("nncf")
    logging.getLogger("nncf").setLevel(logging.ERROR)
    scope = nncf.IgnoredScope(names=sorted(int8_exclusions.excluded_in_openvino(model)), validate=False)
    # the default is the mean of the images' extremes, which cuts off what only some images reach
    ranges = nncf.quantization.range_estimator.RangeEstimatorParametersSet.MINMAX
    shown = Progress(f"calibrating int8 with {len(inputs)} images")
    with shown, open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # NNCF's own bars
        return nncf.quantize(
            model,
            nncf.Dataset([inputs[i : i + 1] for i in range(len(inputs))]),
            subset_size=len(inputs),
            preset=nncf.QuantizationPreset.MIXED,
            ignored_scope=scope,
            advanced_parameters=nncf.AdvancedQuantizationParameters(activations_range_estimator_params=ranges),
        )


def open_model(path: Path | str) -> tuple[Callable[[np.ndarray], np.ndarray], Card, str]:
    """Open files that `write_openvino` wrote of a classifier.

    Args:
        path: The .xml file; the .bin file is beside it.

    Returns:
        (function of a batch -> logits, `Card`, precision).

    Raises:
        UserError: The files are damaged or not from `write_openvino`, or OpenVINO is missing.
    """
    request, card, precision = open_request(path)
    return lambda batch: infer(request, [batch])[0], card, precision


def infer(request: Any, inputs: Any) -> list[np.ndarray]:
    """The outputs of a request, copied: the next inference writes to the same memory."""
    found = request.infer(inputs)
    return [found[number].copy() for number in range(len(found))]


@functools.cache
def _core() -> Any:
    """OpenVINO's entry point, one for the process.

    Each replaces the stack that signals are handled on, and puts back what it found when it ends. Of two, the later one
    would put back the stack of the first, which is gone then: the next signal, such as Ctrl-C, would be a crash.
    """
    return require("openvino").Core()


def open_request(path: Path | str) -> tuple[Any, Card, str]:
    """Open files that `write_openvino` wrote.

    Args:
        path: The .xml file; the .bin file is beside it.

    Returns:
        (inference request, `Card`, precision).

    Raises:
        UserError: The files are damaged or not from `write_openvino`, or OpenVINO is missing.
    """
    require("openvino")
    check_utf8(path, "OpenVINO")
    if not Path(path).with_suffix(".bin").is_file():
        raise UserError(f"{path} comes with {Path(path).stem}.bin, which is missing beside it")
    core = _core()
    try:
        model = core.read_model(str(path))
    except RuntimeError:
        raise UserError(f"{path} is damaged or not an OpenVINO file") from None
    found = []
    for key in (CARD_KEY, "gluon_attn.precision"):
        if not model.has_rt_info(key.split(".")):
            raise UserError(f"{path} holds no card: it was not written by gluon-attn export")
        found.append(str(model.get_rt_info(key.split(".")).value))
    options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdigit():
        options["INFERENCE_NUM_THREADS"] = int(threads)
    if found[1] in HINTS:
        options["INFERENCE_PRECISION_HINT"] = HINTS[found[1]]
    try:
        request = core.compile_model(model, "CPU", options).create_infer_request()
        card = Card.from_dict(json.loads(found[0]))
    except (ValueError, UserError) as error:
        raise UserError(f"{path}: its card cannot be read ({error})") from None
    except RuntimeError as error:
        raise UserError(f"OpenVINO cannot run {path}: {engine_reason(error)}") from None
    return request, card, found[1]
