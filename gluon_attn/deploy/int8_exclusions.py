"""Which nodes of a graph stay in float when the rest becomes int8: those that only serve gates and softmax weights."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import mxnet as mx

from ..nn.symbol_graph import Node, SymbolGraph

#: MXNet's operators whose output is a gate or weights, and the kinds of `Activation` that are
_MXNET = {"sigmoid", "hard_sigmoid", "tanh", "softmax", "log_softmax", "softmin", "SoftmaxActivation"}
_ACTIVATIONS = {"sigmoid", "tanh"}
#: the same of OpenVINO
_OPENVINO = {"Sigmoid", "HSigmoid", "HardSigmoid", "Tanh", "Softmax", "LogSoftmax"}
#: OpenVINO's operations that leave the values of gates and weights alone, and those that apply them
_CARRIERS = {"Reshape", "Squeeze", "Transpose", "Unsqueeze"}
_PRODUCTS = {"MatMul", "Multiply"}


def serving(inputs: Mapping[str, Sequence[str]], anchors: set[str]) -> set[str]:
    """Names of the nodes that only serve `anchors`, and of these: all their readers do so as well.

    The pooling, layers and sigmoid of a gate serve it, the feature map that it gates does not; query, key and softmax
    weights of dot-product attention do, its values do not.

    Args:
        inputs: Name of each node -> names of the nodes that it reads, which come before it.
        anchors: Names of the gates and softmax weights.
    """
    readers: dict[str, list[str]] = {name: [] for name in inputs}
    for name, sources in inputs.items():
        for source in sources:
            readers[source].append(name)
    found: set[str] = set()
    for name in reversed(list(inputs)):
        if name in anchors or (readers[name] and found.issuperset(readers[name])):
            found.add(name)
    return found


def excluded_in_symbol(symbol: mx.sym.Symbol) -> set[str]:
    """Names of the operators in an MXNet symbol that stay in float.

    Convolutions over one axis are among them: oneDNN's int8 has none. So are grouped convolutions: MXNet 1.9.1
    quantizes their weights channel by channel and computes with wrong scales, unless each group has one output channel.

    Args:
        symbol: The graph, which may have been fused for oneDNN.
    """
    nodes = SymbolGraph.read(symbol).nodes
    inputs = {node.name: [source.node.name for source in node.inputs] for node in nodes}
    found = serving(inputs, {node.name for node in nodes if _is_gate(node)})
    one_axis = {node.name for node in nodes if node.attrs.get("layout") in ("NCW", "NWC")}
    grouped = {node.name for node in nodes if _has_groups(node)}
    return (found - {node.name for node in nodes if node.is_variable}) | one_axis | grouped


def _has_groups(node: Node) -> bool:
    """Whether a node, or one that was fused into it, is a convolution in groups of several output channels."""
    groups = int(node.attrs.get("num_group", 1)) if node.op == "Convolution" else 1
    return 1 < groups < int(node.attrs.get("num_filter", 0)) or any(map(_has_groups, _fused(node)))


def _fused(node: Node) -> Iterator[Node]:
    """The nodes that were fused into one."""
    return (inner for graph in node.subgraphs for inner in graph.nodes)


def _is_gate(node: Node) -> bool:
    """Whether a node, or one that was fused into it, is a gate or a softmax."""
    kind = node.attrs.get("act_type")
    return node.op in _MXNET or (node.op == "Activation" and kind in _ACTIVATIONS) or any(map(_is_gate, _fused(node)))


def excluded_in_openvino(model: Any) -> set[str]:
    """Names of the operations in an OpenVINO model that stay in float, with the products that apply gates and weights.

    Args:
        model: An `openvino.Model`.
    """
    operations = model.get_ordered_ops()
    inputs = {
        op.get_friendly_name(): [value.get_node().get_friendly_name() for value in op.input_values()]
        for op in operations
    }
    kinds = {op.get_friendly_name(): op.get_type_name() for op in operations}
    found = serving(inputs, {name for name, kind in kinds.items() if kind in _OPENVINO})
    carried, products = set(found), set()
    for name, sources in inputs.items():
        if kinds[name] in _CARRIERS and sources[0] in carried:
            carried.add(name)
        elif kinds[name] in _PRODUCTS and carried.intersection(sources):
            products.add(name)
    return {name for name in carried | products if kinds[name] != "Constant"}
