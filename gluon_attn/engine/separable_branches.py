"""Separable convolutions of one feature map, as the candidates of a searched edge are: one operator for all of them.

It pads the map once, and adds up the gradients of the map where they are computed, not in an array for each of them.
"""

from collections import defaultdict

import mxnet as mx

from ..nn.symbol_graph import Node, Output, SymbolGraph

_OPERATOR = "gluon_attn_separable"
_LISTED = ("kernel", "dilate")  # attributes with a number for each branch


def join_separable_branches(symbol: mx.sym.Symbol) -> mx.sym.Symbol:
    """Join the separable convolutions that read the same map with the same stride and number of channels.

    Args:
        symbol: the graph of a network.

    Returns:
        The new graph; the graph itself if there are none. Outputs stay, gradients of maps are added in another order.
    """
    graph = SymbolGraph.read(symbol)
    alike: dict[tuple, list[Node]] = defaultdict(list)
    for node in graph.nodes:
        if node.op == _OPERATOR and all(source.node.is_variable for source in node.inputs[1:]):
            alike[node.inputs[0], node.attrs["stride"], node.attrs["channels"]].append(node)
    replacements: dict[Output, Output] = {}
    for branches in alike.values():
        if len(branches) > 1:
            joined = _join(graph, branches)
            replacements |= {Output(branch): Output(joined, number) for number, branch in enumerate(branches)}
    graph.redirect(replacements)
    return graph.to_symbol() if replacements else symbol


def _join(graph: SymbolGraph, branches: list[Node]) -> Node:
    first = branches[0]
    attrs = dict(first.attrs)
    for name in _LISTED:
        attrs[name] = f"({', '.join(branch.attrs[name].strip('(),') for branch in branches)})"
    inputs = [first.inputs[0], *(source for branch in branches for source in branch.inputs[1:])]
    return graph.insert_with_variables(first, Node(first.op, f"{first.name}_joined", attrs), inputs)
