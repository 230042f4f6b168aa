"""Which nodes of a graph only serve gates and softmax weights: they stay in float when the rest becomes int8."""

import json

#: MXNet's operators whose output is a gate or weights, and the kinds of `Activation` that are
_MXNET = {"sigmoid", "hard_sigmoid", "tanh", "softmax", "log_softmax", "softmin", "SoftmaxActivation"}
_ACTIVATIONS = {"sigmoid", "tanh"}
#: the same of OpenVINO
_OPENVINO = {"Sigmoid", "HSigmoid", "Tanh", "Softmax", "LogSoftmax"}
#: its operations through which gates and weights go as they are, and those that apply them
_CARRIERS = {"Reshape", "Squeeze", "Transpose", "Unsqueeze"}
_PRODUCTS = {"MatMul", "Multiply"}


def serving(inputs, anchors):
    """Names of the nodes that only serve `anchors`, and these: all that reads them does so, too.

    inputs: name of each node, in an order in which it comes after what it reads -> names of what it reads.
    So the pooling, the layers and the logistic function of a gate belong, the map that it gates does not; and of
    dot-product attention what makes query, key and weights, but not the values.
    """
    readers = {name: [] for name in inputs}
    for name, sources in inputs.items():
        for source in sources:
            readers[source].append(name)
    found = set()
    for name in reversed(inputs):
        if name in anchors or (readers[name] and found.issuperset(readers[name])):
            found.add(name)
    return found


def of_symbol(symbol):
    """Names of such operators in an MXNet symbol, which may have been fused for oneDNN."""
    nodes = json.loads(symbol.tojson())["nodes"]
    names = [node["name"] for node in nodes]
    inputs = {node["name"]: [names[source] for source, *_ in node["inputs"]] for node in nodes}
    anchors = {node["name"] for node in nodes if _is_gate(node)}
    return serving(inputs, anchors) - {node["name"] for node in nodes if node["op"] == "null"}


def _is_gate(node):
    """Whether a node, or one that was fused into it, is such an operator."""
    inside = (inner for graph in node.get("subgraphs", ()) for inner in graph["nodes"])
    kind = node.get("attrs", {}).get("act_type")
    return node["op"] in _MXNET or (node["op"] == "Activation" and kind in _ACTIVATIONS) or any(map(_is_gate, inside))


def of_openvino(model):
    """Names of such operations in an OpenVINO model, with the products that apply gates and weights."""
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
