"""Chains of compiled operators: what reads their maps is computed by such operators, too, where that pays.

Compiled operators take and give feature maps in plain memory, oneDNN's convolutions in blocks of channels, and each
change between the two is a pass over the map. oneDNN's batch norms are not vectorized in plain memory.
"""

from collections.abc import Mapping, Sequence

import mxnet as mx

from ..nn.symbol_graph import Node, SymbolGraph
from .norm_layouts import KEEPS_LAYOUT
from .odd_norms import compile_norm
from .winograd import keeps_size

#: weights of a 1x1 convolution up to which changes of layout cost more than oneDNN's faster products save
_FEW = 2048
_NORM = "BatchNorm"


def stay_in_plain_memory(
    symbol: mx.sym.Symbol, params: Mapping[str, mx.gluon.Parameter], weights: Mapping[str, Sequence[int]]
) -> mx.sym.Symbol:
    """Let compiled operators compute norms of compiled operators' maps, and small 1x1 convolutions between such.

    To be called while a graph is traced with compiled operators.

    Args:
        symbol: the graph of a network in float32.
        params: parameters of the network by name.
        weights: shapes of weights and biases by name; convolutions with others are left alone.

    Returns:
        The new graph; the graph itself if there is nothing to change.
    """
    graph, changed = SymbolGraph.read(symbol), False
    for node in list(graph.nodes):
        if not node.inputs or not _in_plain_memory(node.source(0)):
            continue
        if node.op == _NORM and node.source(1).name in params:
            changed |= compile_norm(graph, node, params)
        elif _is_small(node, weights) and _is_read_there(graph, node, weights):
            attrs = {"channels": node.attrs["num_filter"], "bias": str(len(node.inputs) - 2)}
            node.op, node.attrs, changed = "gluon_attn_pointwise", attrs, True
    return graph.to_symbol() if changed else symbol


def _in_plain_memory(node: Node) -> bool:
    """Whether a map is a compiled operator's, or what operators that keep its layout make of one."""
    seen, found = set(), [node]
    while found:
        node = found.pop()
        if node.is_compiled:
            return True
        if node not in seen and node.op in KEEPS_LAYOUT:
            seen.add(node)
            found += [source.node for source in node.inputs]
    return False


def _is_read_there(graph: SymbolGraph, node: Node, weights: Mapping[str, Sequence[int]]) -> bool:
    """Whether all that reads a map, or a norm of it, is compiled, or a convolution that may be."""
    seen, found = set(), [node]
    while found:
        node = found.pop()
        readers = graph.readers(node)
        if len(readers) < graph.uses(node):  # an output of the network
            return False
        for reader in readers:
            if reader.op in KEEPS_LAYOUT or reader.op == _NORM:
                found += [] if reader in seen else [reader]
                seen.add(reader)
            elif not reader.is_compiled and not _is_small(reader, weights):
                return False
    return True


def _is_small(node: Node, weights: Mapping[str, Sequence[int]]) -> bool:
    if not keeps_size(node, weights, kernel=1):
        return False
    out, inner = weights[node.source(1).name][:2]
    return 0 < out * inner <= _FEW
