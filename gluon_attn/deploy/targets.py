"""The forms in which a network can leave: a file format and the number type that it computes in."""

from dataclasses import dataclass

from ..utils.errors import UserError
from . import graph_edit, onnx, openvino, precision, symbol
from .graph import trace

FORMATS = ("symbol", "onnx", "openvino")
PRECISIONS = ("float32", "float16", "bfloat16", "int8")
_ABSENT = {
    ("onnx", "bfloat16"): "ONNX Runtime computes no bfloat16 on a CPU; take --format openvino or symbol",
    ("onnx", "int8"): "int8 is MXNet's or OpenVINO's; take --format openvino or symbol",
}
#: largest difference of the logits, relative to the largest, that number types alone explain: rounding in float32 by
#: operators in another order through sharp softmaxes, then 2^-11 and 2^-9 a layer. A wrong graph is beyond. Int8 is
#: judged by its accuracy.
ROUNDING = {"float32": 1e-4, "float16": 1e-1, "bfloat16": 3e-1, "int8": float("inf")}


@dataclass(frozen=True)
class Form:
    """One of `FORMATS` in one of `PRECISIONS`; what does not exist is a `UserError`."""

    format: str
    precision: str = "float32"

    def __post_init__(self):
        for value, known in ((self.format, FORMATS), (self.precision, PRECISIONS)):
            if value not in known:
                raise UserError(f"unknown {value!r}; choose from {', '.join(known)}")
        reason = _ABSENT.get((self.format, self.precision))
        if reason:
            raise UserError(f"there is no {self}: {reason}")

    def __str__(self):
        return f"{self.format}-{self.precision}"


def every(formats=FORMATS, precisions=PRECISIONS):
    """The forms of all these formats and number types that exist."""
    pairs = ((kind, precision) for kind in formats for precision in precisions)
    return [Form(*pair) for pair in pairs if pair not in _ABSENT]


def asked(formats, precisions):
    """(forms of these formats and number types, pairs of them that do not exist).

    A format or a number type that is left without a form is a `UserError`.
    """
    found = every(dict.fromkeys(formats), dict.fromkeys(precisions))
    absent = [pair for pair in _ABSENT if pair[0] in formats and pair[1] in precisions]
    for kind, number in absent:
        if kind not in {form.format for form in found} or number not in {form.precision for form in found}:
            Form(kind, number)  # says why there is none
    return found, absent


def write(form, net, card, prefix, inputs, calibration="naive"):
    """Write the files of one form as PREFIX...; returns the path of the one that stands for all.

    Batch norms are folded into convolutions. inputs: batch of inputs of the graph, N first: to calibrate int8 with, and
    to measure which of MXNet's ways is the fastest. calibration: of MXNet's int8, one of `precision.CALIBRATIONS`.
    """
    if form.format == "symbol":
        return symbol.write_symbol(_for_mxnet(form.precision, net, card, inputs, calibration), prefix)
    graph = graph_edit.fold_norms(trace(net, card, plain=True))
    if form.format == "openvino":
        return openvino.write_openvino(graph, f"{prefix}{openvino.ENDING}", form.precision, inputs)
    return onnx.write_onnx(graph, f"{prefix}{onnx.ENDING}", form.precision)


def _for_mxnet(kind, net, card, inputs, calibration):
    """The graph that MXNet runs fastest in this number type."""
    ways = {
        plain: graph_edit.norms_as_layers(graph_edit.fold_norms(trace(net, card, plain))) for plain in (False, True)
    }
    if kind == "bfloat16":  # not fused: that loses ten times the digits
        ways = {name: precision.mixed(graph) for name, graph in ways.items()}
    graph = ways[precision.fastest(ways, inputs)]
    if kind == "float16":
        return graph_edit.halve_weights(graph)
    if kind == "int8":
        return precision.quantized(graph, inputs, calibration)
    if kind == "float32":
        ways = {False: graph, True: precision.fused(graph)}
        return ways[precision.fastest(ways, inputs)]
    return graph
