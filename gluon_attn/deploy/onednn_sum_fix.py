"""Sums that MXNet 1.9.1 gets wrong when it fuses them for oneDNN, written so that it does not fuse them.

MXNet fuses a sum with a convolution that only the sum reads. The result is wrong
- if the other operand is a convolution that an activation reads as well: the sum gets the activation's output;
- in int8, if one operand is signed and the other is not: the bytes of one are read as those of the other. An operand
  is unsigned if it cannot be negative, the result if ReLU follows.
ReLU of an operand that cannot be negative is wrong in int8 as well.
"""

from ..nn.symbol_graph import Node, SymbolGraph
from .graph import Graph

_ACTIVATIONS = {"Activation", "LeakyReLU", "clip"}  # what is fused into the convolution before it
_POSITIVE = {"abs", "exp", "hard_sigmoid", "relu", "sigmoid", "softmax", "square"}
#: operators whose output is not negative if no input is
_PASSING = {
    "Concat", "Dropout", "Flatten", "Pooling", "Reshape", "add_n", "broadcast_add", "broadcast_like", "broadcast_mul",
    "elemwise_add", "elemwise_mul", "max", "mean", "slice", "slice_axis", "transpose",
}  # fmt: skip


def keep_sums_apart(graph: Graph, int8: bool = False) -> Graph:
    """Write the sums that MXNet would fuse wrongly as `add_n`, which it does not fuse.

    Args:
        graph: A graph, which stays as it is.
        int8: Whether it will be quantized to int8; then ReLUs that change nothing are dropped as well.
    """
    nodes = SymbolGraph.read(graph.symbol)
    positive: dict[Node, bool] = {}
    dropped: dict[Node, Node] = {}
    for node in nodes.nodes:
        operands = [source.node for source in node.inputs]
        positive[node] = _cannot_be_negative(node, [positive[operand] for operand in operands])
        if int8 and _is_relu(node) and positive[operands[0]]:
            dropped[node] = dropped.get(operands[0], operands[0])
    for node in nodes.nodes:
        if node.op == "elemwise_add" and _is_fused_wrongly(nodes, node, positive, int8):
            node.op, node.attrs = "add_n", {"num_args": "2"}
    nodes.replace(dropped)
    return graph.edited(nodes, graph.tensors)


def _is_fused_wrongly(nodes: SymbolGraph, node: Node, positive: dict[Node, bool], int8: bool) -> bool:
    operands = [source.node for source in node.inputs]
    layers = [operand for operand in operands if operand.op == "Convolution"]
    if any(reader.op in _ACTIVATIONS for layer in layers for reader in nodes.readers(layer)):
        return True
    if int8 and any(len(nodes.readers(layer)) == 1 for layer in layers):
        first, second = (positive[operand] for operand in operands)
        readers = nodes.readers(node)
        rectified = len(readers) == 1 and _is_relu(readers[0])
        return not (first and second) and (first or second) != rectified
    return False


def _is_relu(node: Node) -> bool:
    return node.op == "Activation" and node.attrs["act_type"] == "relu"


def _cannot_be_negative(node: Node, inputs: list[bool]) -> bool:
    """Whether no element of a node's output can be below 0. inputs: the same of each input."""
    if node.op == "Activation":
        return node.attrs["act_type"] in ("relu", "sigmoid", "softrelu")
    if node.op == "clip":
        return float(node.attrs["a_min"]) >= 0
    if node.op == "reshape_like":
        return inputs[0]
    return node.op in _POSITIVE or (node.op in _PASSING and all(inputs))
