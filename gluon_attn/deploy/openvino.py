"""OpenVINO's own files, NAME.xml and NAME.bin: made from the ONNX form, int8 by NNCF."""

import contextlib
import json
import logging
import os
from pathlib import Path

from ..config.card import Card
from ..utils.errors import UserError
from ..utils.optional import require
from . import int8_exclusions
from .onnx import CARD_KEY, write_onnx

ENDING = ".xml"
#: what the processor is asked to compute in; int8 files say it themselves, and leave the rest to OpenVINO
HINTS = {"float32": "f32", "float16": "f32", "bfloat16": "bf16"}


def write_openvino(graph, path, precision="float32", images=None):
    """Write a `Graph` (traced with plain operators) as PATH (.xml) with its .bin; returns the path.

    Input and output as in the ONNX file. precision: "float16" keeps the weights in half the space, "bfloat16" is a
    note for the loader, "int8" quantises with `images` (inputs of the graph, N first), gates and softmax left in float.
    """
    openvino = require("openvino")
    path = Path(path)
    scratch = path.with_suffix(".scratch.onnx")
    try:
        model = openvino.Core().read_model(str(write_onnx(graph, scratch)))  # convert_model would tell Intel of it
    finally:
        scratch.unlink(missing_ok=True)
    if precision == "int8":
        model = _quantize(model, images)
    for key, text in ((CARD_KEY, json.dumps(graph.card.to_dict())), ("gluon_attn.precision", precision)):
        model.set_rt_info(text, key.split("."))
    openvino.save_model(model, str(path), compress_to_fp16=precision == "float16")
    return path


def _quantize(model, images):
    """The model in int8, by NNCF's post-training quantisation."""
    os.environ.setdefault("NNCF_CI", "1")  # it tells nobody of what it does
    nncf = require("nncf")
    logging.getLogger("nncf").setLevel(logging.ERROR)
    scope = nncf.IgnoredScope(names=sorted(int8_exclusions.of_openvino(model)), validate=False)
    # by default the mean of the images' extremes, which cuts off what only some images reach
    ranges = nncf.quantization.range_estimator.RangeEstimatorParametersSet.MINMAX
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # progress bars
        return nncf.quantize(
            model,
            nncf.Dataset([images[i : i + 1] for i in range(len(images))]),
            subset_size=len(images),
            preset=nncf.QuantizationPreset.MIXED,
            ignored_scope=scope,
            advanced_parameters=nncf.AdvancedQuantizationParameters(activations_range_estimator_params=ranges),
        )


def open_model(path):
    """(function of a batch -> logits, `Card`, precision) of files that `write_openvino` wrote; else a `UserError`."""
    openvino = require("openvino")
    if not Path(path).with_suffix(".bin").is_file():
        raise UserError(f"{path} comes with {Path(path).stem}.bin, which is missing beside it")
    core = openvino.Core()
    try:
        model = core.read_model(str(path))
    except RuntimeError:
        raise UserError(f"{path} is damaged or not an OpenVINO file") from None
    found = []
    for key in (CARD_KEY, "gluon_attn.precision"):
        if not model.has_rt_info(key.split(".")):
            raise UserError(f"{path} holds no card: it was not written by gluon-attn export")
        found.append(str(model.get_rt_info(key.split(".")).value))
    options = {"PERFORMANCE_HINT": "LATENCY"}
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
    except RuntimeError:
        raise UserError(f"{path} is damaged or not an OpenVINO file") from None
    return lambda batch: request.infer([batch])[0].copy(), card, found[1]
