"""A trained network as a plain graph with its arrays: what both file formats are written from."""

import contextlib
import json
from dataclasses import dataclass

import mxnet as mx
import numpy as np

from ..config.card import Card
from ..nn import fast
from ..nn.tracing import single_precision
from ..utils.errors import UserError

INPUT = "data"


@dataclass(frozen=True)
class Graph:
    """`symbol` has one input, `data`, and one output; `args` and `aux` map its other inputs to float32 arrays."""

    symbol: mx.sym.Symbol
    args: dict
    aux: dict
    card: Card

    @property
    def input_shape(self):
        """Shape of one image as the graph takes it: C,H,W, or H,W,C with preprocessing."""
        channels, height, width = self.card.input_shape
        return (height, width, channels) if self.card.preprocess else (channels, height, width)

    @property
    def input_dtype(self):
        """uint8 with preprocessing, else float32."""
        return np.uint8 if self.card.preprocess else np.float32


def trace(net, card, plain=False):
    """The `Graph` of a network, for inference, in float32, on the CPU. The network itself stays as it is.

    net: an initialized `HybridBlock`, N,C,H,W -> N,classes. card: its `Card`; with `card.preprocess` the graph takes
    N,H,W,C uint8 and normalises itself. plain: write gates and reductions with plain operators, which other engines
    fuse best, instead of those that train fastest in MXNet.
    """
    x, constants = _raw_images(card) if card.preprocess else (mx.sym.var(INPUT), {})
    with single_precision(), fast.plain_operators() if plain else contextlib.nullcontext():
        output = net(x)
    if not isinstance(output, mx.sym.Symbol) or len(output.list_outputs()) != 1:
        raise UserError("only a network with one output can be exported")
    symbol, renamed = _tidy(output, net.prefix)
    values = {renamed[p.name]: _value(p) for p in net.collect_params().values() if p.name in renamed}
    values.update({renamed[name]: value for name, value in constants.items()})
    _fix_scales(symbol, values)
    args = {name: values[name] for name in symbol.list_arguments() if name != INPUT}
    return Graph(symbol, args, {name: values[name] for name in symbol.list_auxiliary_states()}, card)


def _raw_images(card):
    """(symbol of the normalised input, its constants): the arithmetic of `data.transforms.normalize`, in its order."""
    mean, std = np.asarray(card.mean, np.float64), np.asarray(card.std, np.float64)
    constants = {"pixel_scale": 1 / (255 * std), "pixel_shift": mean / std}
    constants = {name: mx.nd.array(v.reshape(1, -1, 1, 1), dtype="float32") for name, v in constants.items()}
    pixels = mx.sym.transpose(mx.sym.var(INPUT), axes=(0, 3, 1, 2), name="pixels_first")
    pixels = mx.sym.Cast(pixels, dtype="float32", name="pixels_float")
    scale, shift = (mx.sym.var(name, shape=v.shape) for name, v in constants.items())
    pixels = mx.sym.broadcast_mul(pixels, scale, name="pixels_scaled")
    return mx.sym.broadcast_sub(pixels, shift, name="pixels_normal"), constants


def _tidy(symbol, prefix):
    """(symbol whose names are unique and the same in every process, variable's old name -> new)."""
    graph, taken, renamed = json.loads(symbol.tojson()), set(), {}
    for node in graph["nodes"]:
        short = node["name"].removeprefix(prefix)
        name, count = short, 0
        while name in taken:
            count += 1
            name = f"{short}.{count}"  # the ONNX exporter derives names with _ and digits; a dot keeps apart
        taken.add(name)
        if node["op"] == "null":
            renamed[node["name"]] = name
        node["name"] = name
    return mx.sym.load_json(json.dumps(graph)), renamed


def _value(parameter):
    try:
        return parameter._reduce().astype("float32")
    except RuntimeError:
        raise UserError(
            f"the network has no weights yet ({parameter.name}): initialize it or load a parameter file"
        ) from None


def _fix_scales(symbol, values):
    """Set to 1 the scales that BatchNorm(scale=False) ignores: other engines would use what stands there."""
    nodes = json.loads(symbol.tojson())["nodes"]
    for node in nodes:
        if node["op"] == "BatchNorm" and node.get("attrs", {}).get("fix_gamma", "True") in ("True", "1"):
            gamma = nodes[node["inputs"][1][0]]["name"]
            values[gamma] = mx.nd.ones_like(values[gamma])
