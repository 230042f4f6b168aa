"""Sums that MXNet 1.9.1's oneDNN operators get wrong, written so that they leave them alone.

A sum is fused with a convolution that only it reads. That goes wrong
- where its other operand is a convolution that an activation reads as well: the sum gets what the activation gives;
- in int8, where one of the two is signed and the other is not: the bytes of the one are read as those of the other. An
  operand is unsigned when it cannot be negative, the result when ReLU follows.
In int8 ReLU of what cannot be negative is wrong, too.
"""

from . import graph_edit

_ACTIVATIONS = {"Activation", "LeakyReLU", "clip"}  # what is fused behind a convolution
_POSITIVE = {"abs", "exp", "hard_sigmoid", "relu", "sigmoid", "softmax", "square"}
#: operators whose output is not negative if no input is
_PASSING = {
    "Concat", "Dropout", "Flatten", "Pooling", "Reshape", "add_n", "broadcast_add", "broadcast_like", "broadcast_mul",
    "elemwise_add", "elemwise_mul", "max", "mean", "slice", "slice_axis", "transpose",
}  # fmt: skip


def unfused(graph, int8=False):
    """The `Graph` with `add_n` for each such sum, and for int8 without ReLUs that change nothing."""
    data, _ = graph_edit.read(graph.symbol)
    nodes = data["nodes"]
    readers, positive, moved = [[] for _ in nodes], [], {}
    for number, node in enumerate(nodes):
        operands = [source for source, *_ in node["inputs"]]
        positive.append(_not_negative(node, [positive[source] for source in operands]))
        for source in operands:
            readers[source].append(node)
        if int8 and _is_relu(node) and positive[operands[0]]:
            moved[number] = moved.get(operands[0], operands[0])
    for number, node in enumerate(nodes):
        if node["op"] == "elemwise_add":
            operands = [source for source, *_ in node["inputs"]]
            layers = [source for source in operands if nodes[source]["op"] == "Convolution"]
            wrong = any(reader["op"] in _ACTIVATIONS for source in layers for reader in readers[source])
            if int8 and any(len(readers[source]) == 1 for source in layers):
                wrong |= _mixes(*(positive[source] for source in operands), readers[number])
            if wrong:
                node["op"], node["attrs"] = "add_n", {"num_args": "2"}
    return graph_edit.write(graph, data, moved, {**graph.args, **graph.aux})


def _mixes(first, second, readers):
    """Whether a fused sum would have a signed operand and an unsigned result, or the other way round."""
    rectified = len(readers) == 1 and _is_relu(readers[0])
    return not (first and second) and (first or second) != rectified


def _is_relu(node):
    return node["op"] == "Activation" and node["attrs"]["act_type"] == "relu"


def _not_negative(node, inputs):
    """Whether no element of a node's output can be below 0. inputs: the same of what it reads."""
    if node["op"] == "Activation":
        return node["attrs"]["act_type"] in ("relu", "sigmoid", "softrelu")
    if node["op"] == "clip":
        return float(node["attrs"]["a_min"]) >= 0
    if node["op"] == "reshape_like":
        return inputs[0]
    return node["op"] in _POSITIVE or (node["op"] in _PASSING and all(inputs))
