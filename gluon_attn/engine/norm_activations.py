"""Batch norms by compiled operators together with the ReLU behind them, and with the shortcut that is added before it.

One operator reads and writes each map once, where a norm, a sum and a ReLU do so one after the other.
"""

import mxnet as mx

from ..nn.symbol_graph import Node, Output, SymbolGraph

_NORM = "gluon_attn_batch_norm"
_SUMS = ("elemwise_add", "_plus")


def join_activations(symbol: mx.sym.Symbol) -> mx.sym.Symbol:
    """Let compiled norms compute the ReLU that alone reads them, or the ReLU of their sum with a shortcut.

    Args:
        symbol: the graph of a network.

    Returns:
        The new graph; the graph itself if there is no such norm. Numbers stay, but that in bfloat16 a sum is rounded
        once instead of twice.
    """
    graph = SymbolGraph.read(symbol)
    joined = [_join(graph, node) for node in graph.nodes if _is_relu(node)]
    return graph.to_symbol() if any(joined) else symbol


def _is_relu(node: Node) -> bool:
    return node.op == "relu" or (node.op == "Activation" and node.attrs["act_type"] == "relu")


def _join(graph: SymbolGraph, relu: Node) -> bool:
    """Turn a ReLU into the norm that it reads; whether there is one."""
    before = relu.source(0)
    if _can_join(graph, before):
        _replace(graph, relu, before, "relu")
        return True
    if before.op in _SUMS and graph.uses(before) == 1:
        for source, other in (before.inputs, before.inputs[::-1]):
            if _can_join(graph, source.node):
                _replace(graph, relu, source.node, "add_relu", other)
                return True
    return False


def _can_join(graph: SymbolGraph, node: Node) -> bool:
    return node.op == _NORM and node.attrs["then"] == "nothing" and graph.uses(node) == 1


def _replace(graph: SymbolGraph, relu: Node, norm: Node, then: str, *shortcut: Output) -> None:
    # in the place of the ReLU: what computes the shortcut may come after the norm
    relu.op, relu.attrs = norm.op, {**norm.attrs, "then": then}
    graph.connect(relu, [*norm.inputs, *shortcut])
