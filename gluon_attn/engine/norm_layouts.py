"""Copies around batch normalizations whose neighbours keep feature maps in other layouts, for the CPU.

oneDNN keeps a map in blocks of 16, 8 or 4 channels, as the convolution that wrote it likes best. Its batch
normalization computes in blocks of 16 or 8 and in plain memory, its gradient only if grad_output has the layout of the
input. All else falls to a reference kernel that is some hundred times slower. A slice of everything has the plain
layout, in both directions, and a batch normalization brings grad_output in that layout to the one of its input.
"""

from collections.abc import Iterator, Mapping

import mxnet as mx

from ..nn.symbol_graph import Node, SymbolGraph

#: channels up to which a batch normalization gets a copy after it under AMX: the convolutions next to it have one
#: layout in the forward and another in the backward pass
NARROW = 32
_COPY = ("slice_axis", {"axis": "0", "begin": "0", "end": "None"})
#: operators whose gradient has the layout of grad_output
KEEPS_LAYOUT = ("Activation", "relu", "elemwise_add", "_plus", "Dropout", "identity", "_copy", "amp_cast")


def copy_after_narrow_norms(symbol: mx.sym.Symbol, params: Mapping[str, mx.gluon.Parameter]) -> mx.sym.Symbol:
    """Insert a copy after each batch normalization of at most `NARROW` channels; this changes no number.

    Args:
        symbol: the graph of a network.
        params: parameters of the network by name.
    """
    graph = SymbolGraph.read(symbol)
    for node in list(graph.nodes):
        gamma = node.source(1).name if node.op == "BatchNorm" else ""
        # a BatchNorm inside a compiled norm has no gamma of the network, and no gradient
        if gamma in params and params[gamma].shape[0] <= NARROW:
            graph.insert_after(node, *_COPY)
    return graph.to_symbol()


def copy_between_layouts(symbol: mx.sym.Symbol, params: Mapping[str, mx.gluon.Parameter]) -> mx.sym.Symbol:
    """Insert copies around the batch normalizations that would get a map in one layout and its gradient in another.

    Args:
        symbol: the graph of a network.
        params: parameters of the network by name.

    Returns:
        The new graph; the graph itself if there is no such normalization.
    """
    graph, changed = SymbolGraph.read(symbol), False
    for node in list(graph.nodes):
        if node.op != "BatchNorm" or node.source(0).op != "Convolution":
            continue
        block = channel_block(node.source(0), params)
        behind = {channel_block(convolution, params) for convolution in _convolutions_behind(graph, node)}
        if block == 4:  # no kernel of a norm computes in these blocks
            graph.insert_before(node, 0, *_COPY)
            block, changed = 1, True
        if behind - {block, 1}:
            graph.insert_after(node, *_COPY)
            changed = True
    return graph.to_symbol() if changed else symbol


def _convolutions_behind(graph: SymbolGraph, node: Node) -> Iterator[Node]:
    """The convolutions whose gradient of their input reaches the gradient of `node`'s output as it is."""
    seen: set[Node] = set()
    found = [node]
    while found:
        for reader in graph.readers(found.pop()):
            if reader in seen:
                continue
            seen.add(reader)
            if reader.op == "Convolution":
                yield reader
            elif reader.op in KEEPS_LAYOUT:
                found.append(reader)


def channel_block(convolution: Node, params: Mapping[str, mx.gluon.Parameter]) -> int:
    """Channels of a block in the layout that oneDNN gives the maps of a convolution; 1: plain memory.

    Args:
        convolution: its node.
        params: parameters of the network by name.
    """
    weight, groups = convolution.source(1), int(convolution.attrs.get("num_group", 1))
    if weight.op == "amp_cast":
        weight = weight.source(0)
    shape = params[weight.name].shape if weight.name in params else None
    if shape is None:
        return 1
    out, inner = shape[0] // groups, shape[1]
    if inner == out == 1:
        inner = out = groups  # depthwise: blocks of several groups
    elif inner < 4:
        inner = out  # an image
    return next((size for size in (16, 8, 4) if not inner % size and not out % size), 1)
