"""Gradients that nobody takes, of parameters that are not trained: they are left out of a graph.

Where MXNet computes such a gradient beside others, as of a batch norm without shift or with a frozen one, it prepares
the whole backward pass anew in each step.
"""

from collections.abc import Mapping

import mxnet as mx

from ..nn.symbol_graph import Node, SymbolGraph


def without_unused_gradients(symbol: mx.sym.Symbol, params: Mapping[str, mx.gluon.Parameter]) -> mx.sym.Symbol:
    """Block the gradients of parameters with `grad_req` "null" where other gradients are computed; no number changes.

    Args:
        symbol: the graph of a network.
        params: parameters of the network by name.

    Returns:
        The new graph; the graph itself if there is no such gradient.
    """
    graph, states = SymbolGraph.read(symbol), set(symbol.list_auxiliary_states())
    learns: set[Node] = set()
    found: list[tuple[Node, int]] = []
    for node in graph.nodes:
        if node.is_variable:
            if node.name in params and params[node.name].grad_req != "null":
                learns.add(node)
        elif node.op != "BlockGrad" and any(source.node in learns for source in node.inputs):
            learns.add(node)
            found += [
                (node, position)
                for position, source in enumerate(node.inputs)
                if source.node.is_variable
                and source.node.name in params
                and source.node not in learns
                and source.node.name not in states
            ]
    for node, position in found:
        graph.insert_before(node, position, "BlockGrad", {})
    return graph.to_symbol() if found else symbol
