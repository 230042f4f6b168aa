"""Convolutions of 3x3 by Winograd's method, in float32 on a CPU: fewer products than oneDNN's direct ones."""

import functools
from collections.abc import Mapping, Sequence

import mxnet as mx

from ..nn.symbol_graph import Node, SymbolGraph
from ..nn.tracing import compiled
from ..utils import cpu

_CHANNELS = 16  # a vector of float32
#: values of a convolution's attributes, of which "()" stands for the default
_ATTRS = {"stride": ("(1, 1)", "()"), "dilate": ("(1, 1)", "()"), "num_group": ("1",), "layout": ("NCHW",)}


def use_winograd(symbol: mx.sym.Symbol, weights: Mapping[str, Sequence[int]]) -> mx.sym.Symbol:
    """Compute 3x3 convolutions by a compiled operator, while a graph is traced with such operators.

    Only for channels that are multiples of 16 and on processors with AVX-512, where it was measured to be faster.
    Lavin and Gray 2015, https://arxiv.org/abs/1509.09308, F(2x2, 3x3).

    Args:
        symbol: the graph of a network in float32.
        weights: shapes of weights and biases by name; convolutions with others are left alone.

    Returns:
        The new graph; the graph itself if there is no such convolution.
    """
    if not compiled() or not _has_wide_vectors():
        return symbol
    graph = SymbolGraph.read(symbol)
    convolutions = [node for node in graph.nodes if _can_compute(node, weights)]
    for node in convolutions:
        attrs = {"channels": node.attrs["num_filter"], "bias": str(len(node.inputs) - 2)}
        node.op, node.attrs = "gluon_attn_winograd", attrs
    return graph.to_symbol() if convolutions else symbol


@functools.cache
def _has_wide_vectors() -> bool:
    return "avx512f" in cpu.flags(cpu.Host())


def _can_compute(node: Node, weights: Mapping[str, Sequence[int]]) -> bool:
    is_window = keeps_size(node, weights, kernel=3)
    return is_window and all(size and size % _CHANNELS == 0 for size in weights[node.source(1).name][:2])


def keeps_size(node: Node, weights: Mapping[str, Sequence[int]], kernel: int) -> bool:
    """Whether a node is a convolution of a map to one of its size, without groups.

    Args:
        node: a node of a graph.
        weights: shapes of weights and biases by name; a convolution with others counts as none.
        kernel: its height and width, odd.
    """
    if node.op != "Convolution" or any(source.node.name not in weights for source in node.inputs[1:]):
        return False
    pad = f"({kernel // 2}, {kernel // 2})"
    attrs = {"pad": "(0, 0)", **node.attrs}
    window = attrs["kernel"] == f"({kernel}, {kernel})" and attrs["pad"].replace("()", "(0, 0)") == pad
    return window and all(attrs.get(name, values[-1]) in values for name, values in _ATTRS.items())
