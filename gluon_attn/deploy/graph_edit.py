"""Transforms of a traced graph that keep what it computes: folded batch norms, weights in float16."""

import mxnet as mx
import numpy as np

from ..nn.symbol_graph import Node, SymbolGraph
from .graph import Graph

_EPSILON = 1e-3  # default of MXNet's BatchNorm


def fold_norms(graph: Graph) -> Graph:
    """Fold each batch norm that alone reads a convolution into the convolution's weights and bias.

    Layers whose weights, scale or shift other layers read as well stay as they are.

    Args:
        graph: A graph, which stays as it is.
    """
    nodes, tensors = SymbolGraph.read(graph.symbol), graph.tensors
    folded: dict[Node, Node] = {}
    for norm in nodes.nodes:
        if norm.op != "BatchNorm" or int(norm.attrs.get("axis", 1)) != 1:
            continue
        layer = norm.source(0)
        alone = (layer, *(norm.source(i) for i in (1, 2)), *(source.node for source in layer.inputs[1:]))
        if layer.op == "Convolution" and all(nodes.uses(node) == 1 for node in alone):
            _fold(nodes, layer, norm, tensors)
            folded[norm] = layer
    nodes.replace(folded)
    return graph.edited(nodes, tensors)


def _fold(nodes: SymbolGraph, layer: Node, norm: Node, tensors: dict[str, mx.nd.NDArray]) -> None:
    """In place: weight and bias of the convolution become those of convolution and norm; beta is the bias."""
    scale, shift = _scale_and_shift(norm, tensors)
    weight = layer.source(1).name
    kernel = tensors[weight].asnumpy().astype(np.float64)
    tensors[weight] = mx.nd.array(kernel * scale.reshape(-1, *[1] * (kernel.ndim - 1)), dtype="float32")
    if len(layer.inputs) > 2:
        shift = shift + scale * tensors[layer.source(2).name].asnumpy()
    tensors[norm.source(2).name] = mx.nd.array(shift, dtype="float32")
    nodes.connect(layer, [*layer.inputs[:2], norm.inputs[2]])
    layer.attrs["no_bias"] = "False"


def norms_as_convolutions(graph: Graph) -> Graph:
    """Write batch norms over feature maps as depthwise 1x1 convolutions.

    For MXNet alone: its fusions for oneDNN make a wrong graph of a norm before a convolution.

    Args:
        graph: A graph, which stays as it is.
    """
    nodes, tensors = SymbolGraph.read(graph.symbol), graph.tensors
    internals = graph.symbol.get_internals()
    found = internals.infer_shape(**graph.shapes)[1]
    shapes = dict(zip(internals.list_outputs(), found, strict=True))
    for node in nodes.nodes:
        alone = node.op == "BatchNorm" and all(nodes.uses(node.source(i)) == 1 for i in (1, 2))
        if not alone or len(shapes[f"{node.name}_output"]) != 4 or int(node.attrs.get("axis", 1)) != 1:
            continue
        scale, shift = _scale_and_shift(node, tensors)
        gamma, beta = node.source(1), node.source(2)
        tensors[gamma.name] = mx.nd.array(scale.reshape(-1, 1, 1, 1), dtype="float32")
        tensors[beta.name] = mx.nd.array(shift, dtype="float32")
        channels = str(len(scale))
        node.attrs = {"kernel": "(1, 1)", "num_filter": channels, "num_group": channels, "no_bias": "False"}
        node.op = "Convolution"
        nodes.connect(node, node.inputs[:3])
        gamma.attrs = {"__dtype__": "0"}  # float32; the shape that stood here was the norm's
    return graph.edited(nodes, tensors)


def _scale_and_shift(norm: Node, tensors: dict[str, mx.nd.NDArray]) -> tuple[np.ndarray, np.ndarray]:
    """(scale, shift) of each channel that a batch norm applies, float64."""
    names = (source.node.name for source in norm.inputs[1:5])
    gamma, beta, mean, variance = (tensors[name].asnumpy().astype(np.float64) for name in names)
    scale = gamma / np.sqrt(variance + float(norm.attrs.get("eps", _EPSILON)))
    return scale, beta - mean * scale


def float16_weights(graph: Graph) -> Graph:
    """Keep weights of two or more axes in float16, each with a cast to float32 after it; computation is in float32."""
    nodes, tensors = SymbolGraph.read(graph.symbol), graph.tensors
    for node in list(nodes.nodes):
        if node.is_variable and node.name in graph.args and tensors[node.name].ndim > 1:
            tensors[node.name] = tensors[node.name].astype("float16")
            node.attrs["__dtype__"] = "2"  # MXNet's number for float16
            nodes.insert_after(node, "Cast", {"dtype": "float32"}, name=f"{node.name}.float32")
    return graph.edited(nodes, tensors)
