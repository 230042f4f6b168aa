"""Convolutions of 3x3 by Winograd's method, in float32 training on a CPU: fewer products than oneDNN's direct ones."""

import functools
from collections.abc import Mapping

import mxnet as mx

from ..nn.symbol_graph import Node, SymbolGraph
from ..nn.tracing import compiled
from ..utils import cpu

_CHANNELS = 16  # a vector of float32
#: values of a convolution's attributes that the operator computes; "()" stands for the default
_WINDOW = {"kernel": ("(3, 3)",), "pad": ("(1, 1)",), "stride": ("(1, 1)", "()"), "dilate": ("(1, 1)", "()")}
_REST = {"num_group": "1", "no_bias": "True", "layout": "NCHW"}


def use_winograd(symbol: mx.sym.Symbol, params: Mapping[str, mx.gluon.Parameter]) -> mx.sym.Symbol:
    """Compute 3x3 convolutions by a compiled operator, while a graph is traced with such operators.

    Only for channels that are multiples of 16 and on processors with AVX-512, where it was measured to be faster.
    Lavin and Gray 2015, https://arxiv.org/abs/1509.09308, F(2x2, 3x3).

    Args:
        symbol: the graph of a network in float32.
        params: parameters of the network by name.

    Returns:
        The new graph; the graph itself if there is no such convolution.
    """
    if not compiled() or not _has_wide_vectors():
        return symbol
    graph = SymbolGraph.read(symbol)
    convolutions = [node for node in graph.nodes if _can_compute(node, params)]
    for node in convolutions:
        node.op, node.attrs = "gluon_attn_winograd", {"channels": node.attrs["num_filter"]}
    return graph.to_symbol() if convolutions else symbol


@functools.cache
def _has_wide_vectors() -> bool:
    return "avx512f" in cpu.flags(cpu.Host())


def _can_compute(node: Node, params: Mapping[str, mx.gluon.Parameter]) -> bool:
    if node.op != "Convolution" or node.source(1).name not in params:
        return False
    weight, attrs = params[node.source(1).name], node.attrs
    fits = all(attrs.get(name, "()") in values for name, values in _WINDOW.items())
    fits = fits and all(attrs.get(name, value) == value for name, value in _REST.items() if name != "no_bias")
    if not fits or attrs.get("no_bias") != "True" or weight.grad_req == "add":  # the operator cannot add
        return False
    return all(size and size % _CHANNELS == 0 for size in weight.shape[:2])
