"""Compiled operators that read the same feature map, as the candidate operations of a search do.

What computes the same is computed once. Separable convolutions become one operator, which pads the map once and adds up
the gradients of the map where they are computed, not in an array for each of them.
"""

from collections import defaultdict

import mxnet as mx

from ..nn.symbol_graph import Node, Output, SymbolGraph

_SEPARABLE = "gluon_attn_separable"
_OTHERS = ("BlockGrad", "Pooling")  # MXNet's own that are merged, too: compiled operators read them
_LISTED = ("kernel", "dilate")  # its attributes with a number for each branch


def share_maps(symbol: mx.sym.Symbol) -> mx.sym.Symbol:
    """Compute once what several compiled operators compute of the same map.

    Args:
        symbol: the graph of a network.

    Returns:
        The new graph; the graph itself if there is nothing to share. Outputs stay, gradients of maps are added in
        another order.
    """
    graph = SymbolGraph.read(symbol)
    merged = _merge_equal(graph, set(symbol.list_auxiliary_states()))
    joined = _join_separable(graph)
    return graph.to_symbol() if merged or joined else symbol


def _merge_equal(graph: SymbolGraph, states: set[str]) -> bool:
    """Replace compiled operators by equal ones before them. MXNet does so with its own operators only."""
    first: dict[tuple, Node] = {}
    same: dict[Node, Node] = {}
    for node in graph.nodes:
        if not node.is_compiled and node.op not in _OTHERS:
            continue
        inputs = tuple(source._replace(node=same.get(source.node, source.node)) for source in node.inputs)
        if any(source.node.name in states for source in inputs):
            continue  # it moves the running statistics of a norm
        known = first.setdefault((node.op, *sorted(node.attrs.items()), *inputs), node)
        if known is not node:
            same[node] = known
    graph.replace(same)
    return any(node.op not in _OTHERS for node in same)


def _join_separable(graph: SymbolGraph) -> bool:
    """Join separable convolutions of one map, of the same stride and number of channels."""
    alike: dict[tuple, list[Node]] = defaultdict(list)
    for node in graph.nodes:
        if node.op == _SEPARABLE and all(source.node.is_variable for source in node.inputs[1:]):
            alike[node.inputs[0], node.attrs["stride"], node.attrs["channels"]].append(node)
    replacements: dict[Output, Output] = {}
    for branches in alike.values():
        if len(branches) > 1:
            joined = _join(graph, branches)
            replacements |= {Output(branch): Output(joined, number) for number, branch in enumerate(branches)}
    graph.redirect(replacements)
    return bool(replacements)


def _join(graph: SymbolGraph, branches: list[Node]) -> Node:
    first = branches[0]
    attrs = dict(first.attrs)
    for name in _LISTED:
        attrs[name] = f"({', '.join(branch.attrs[name].strip('(),') for branch in branches)})"
    inputs = [first.inputs[0], *(source for branch in branches for source in branch.inputs[1:])]
    return graph.insert_with_variables(first, Node(first.op, f"{first.name}_joined", attrs), inputs)
