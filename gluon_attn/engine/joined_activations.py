"""Compiled batch norms and gates together with the ReLU behind them, and with the shortcut that is added before it.

One operator reads and writes each map once, where a norm or a gate, a sum and a ReLU do so one after the other.
"""

import mxnet as mx

from ..nn.symbol_graph import Node, Output, SymbolGraph

_NORM, _GATE = "gluon_attn_batch_norm", "gluon_attn_gate"
_SUMS = ("elemwise_add", "_plus")


def join_activations(symbol: mx.sym.Symbol) -> mx.sym.Symbol:
    """Let compiled norms compute the ReLU that alone reads them, and norms and gates the ReLU of a sum with a shortcut.

    Args:
        symbol: the graph of a network.

    Returns:
        The new graph; the graph itself if there is nothing to join. Numbers stay the same with two exceptions: a gated
        map, and in bfloat16 a normalized one, is not rounded before it is added, and a NaN has no gradient behind it.
    """
    graph = SymbolGraph.read(symbol)
    joined = [_join(graph, node) for node in graph.nodes if _is_relu(node)]
    return graph.to_symbol() if any(joined) else symbol


def _is_relu(node: Node) -> bool:
    return node.op == "relu" or (node.op == "Activation" and node.attrs["act_type"] == "relu")


def _join(graph: SymbolGraph, relu: Node) -> bool:
    """Turn a ReLU into the norm or gate that it reads, if there is one.

    Returns:
        Whether there is.
    """
    before = relu.source(0)
    if _is_plain_norm(before) and graph.uses(before) == 1:
        _replace(graph, relu, before, before.op, {**before.attrs, "then": "relu"})
        return True
    if before.op not in _SUMS or graph.uses(before) != 1:
        return False
    for source, shortcut in (before.inputs, before.inputs[::-1]):
        node = source.node
        if graph.uses(node) != 1 or shortcut.node.is_variable:  # compiled operators cannot add to its gradient
            continue
        if _is_plain_norm(node):
            _replace(graph, relu, node, node.op, {**node.attrs, "then": "add_relu"}, shortcut)
            return True
        if node.op == _GATE:
            _replace(graph, relu, node, f"{_GATE}_add_relu", node.attrs, shortcut)
            return True
    return False


def _is_plain_norm(node: Node) -> bool:
    return node.op == _NORM and node.attrs["then"] == "nothing"


def _replace(graph: SymbolGraph, relu: Node, node: Node, op: str, attrs: dict[str, str], *shortcut: Output) -> None:
    # in the place of the ReLU: what computes the shortcut may come after the node
    relu.op, relu.attrs = op, attrs
    graph.connect(relu, [*node.inputs, *shortcut])
