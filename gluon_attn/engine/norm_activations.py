"""Batch norms by compiled operators together with the ReLU behind them, and with the shortcut that is added before it.

One operator for all reads and writes each map once, where three operators do so three times.
"""

import mxnet as mx

from ..nn.symbol_graph import Node, SymbolGraph

_NORM = "gluon_attn_batch_norm"
_SUMS = ("elemwise_add", "_plus")


def join_activations(symbol: mx.sym.Symbol) -> mx.sym.Symbol:
    """Let compiled norms compute the ReLU that alone reads them, or the ReLU of their sum with a shortcut.

    Args:
        symbol: the graph of a network.

    Returns:
        The new graph; the graph itself if there is no such norm.
    """
    graph = SymbolGraph.read(symbol)
    joined = [_join(graph, node) for node in graph.nodes if _is_relu(node)]
    return graph.to_symbol() if any(joined) else symbol


def _is_relu(node: Node) -> bool:
    return node.op == "relu" or (node.op == "Activation" and node.attrs["act_type"] == "relu")


def _join(graph: SymbolGraph, relu: Node) -> bool:
    """Turn a ReLU into the norm before it; whether there is one."""
    before = relu.source(0)
    if _is_read_once(graph, before, _NORM):
        norm, shortcut = before, []
    elif before.op in _SUMS and graph.uses(before) == 1:
        first, second = before.inputs
        if _is_read_once(graph, second.node, _NORM):
            norm, shortcut = second.node, [first]
        elif _is_read_once(graph, first.node, _NORM):
            norm, shortcut = first.node, [second]
        else:
            return False
    else:
        return False
    relu.op, relu.attrs = _NORM, {**norm.attrs, "relu": "1", "shortcut": str(len(shortcut))}
    graph.connect(relu, [*norm.inputs, *shortcut])
    return True


def _is_read_once(graph: SymbolGraph, node: Node, op: str) -> bool:
    return node.op == op and graph.uses(node) == 1 and node.attrs["relu"] == "0"
