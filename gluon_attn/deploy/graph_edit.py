"""Changes to a traced graph that leave what it computes: batch norms folded, weights kept in half precision."""

import dataclasses
import json

import mxnet as mx
import numpy as np

from .graph import INPUT

_EPSILON = 1e-3  # MXNet's default


def fold_norms(graph):
    """The `Graph` with every batch norm behind a convolution of its own taken into that convolution's weights."""
    nodes, readers = read(graph.symbol)
    values, moved = {**graph.args, **graph.aux}, {}
    for number, node in enumerate(nodes["nodes"]):
        if node["op"] != "BatchNorm" or int(node.get("attrs", {}).get("axis", 1)) != 1:
            continue
        source = node["inputs"][0][0]
        layer = nodes["nodes"][source]
        alone = readers[source] == 1 and all(readers[at[0]] == 1 for at in (*layer["inputs"][1:], *node["inputs"][1:3]))
        if layer["op"] != "Convolution" or not alone or layer["inputs"][1][0] in moved:
            continue
        _fold(nodes["nodes"], layer, node, values)
        moved[number] = source
    return write(graph, nodes, moved, values)


def _fold(nodes, layer, norm, values):
    """In place: the convolution's weight and bias become those of convolution and norm; the shift is its bias."""
    name = [nodes[source]["name"] for source, *_ in norm["inputs"]]
    scale, shift = _line(norm, [values[key].asnumpy().astype(np.float64) for key in name[1:5]])
    weight = nodes[layer["inputs"][1][0]]["name"]
    kernel = values[weight].asnumpy().astype(np.float64)
    values[weight] = mx.nd.array(kernel * scale.reshape(-1, *[1] * (kernel.ndim - 1)), dtype="float32")
    if len(layer["inputs"]) > 2:
        shift = shift + scale * values[nodes[layer["inputs"][2][0]]["name"]].asnumpy()
        del layer["inputs"][2]
    values[name[2]] = mx.nd.array(shift, dtype="float32")
    layer["inputs"].append(norm["inputs"][2])
    layer["attrs"]["no_bias"] = "False"


def norms_as_layers(graph):
    """The `Graph` whose batch norms over maps are depthwise 1x1 convolutions.

    For MXNet alone: its fusions for oneDNN make a wrong graph of a norm that stands before a convolution.
    """
    nodes, readers = read(graph.symbol)
    values = {**graph.args, **graph.aux}
    inside = graph.symbol.get_internals()
    shapes = dict(zip(inside.list_outputs(), inside.infer_shape(**{INPUT: (1, *graph.input_shape)})[1], strict=True))
    for node in nodes["nodes"]:
        alone = node["op"] == "BatchNorm" and all(readers[at[0]] == 1 for at in node["inputs"][1:3])
        if not alone or len(shapes[f"{node['name']}_output"]) != 4 or int(node["attrs"].get("axis", 1)) != 1:
            continue
        variable = [nodes["nodes"][source] for source, *_ in node["inputs"]]
        scale, shift = _line(node, [values[each["name"]].asnumpy().astype(np.float64) for each in variable[1:]])
        values[variable[1]["name"]] = mx.nd.array(scale.reshape(-1, 1, 1, 1), dtype="float32")
        values[variable[2]["name"]] = mx.nd.array(shift, dtype="float32")
        width = str(len(scale))
        node["attrs"] = {"kernel": "(1, 1)", "num_filter": width, "num_group": width, "no_bias": "False"}
        node["op"], node["inputs"] = "Convolution", node["inputs"][:3]
        variable[1]["attrs"] = {"__dtype__": "0"}  # float32; its shape was the norm's
    return write(graph, nodes, {}, values)


def _line(norm, tensors):
    """(scale, shift) that a batch norm of gamma, beta, mean and variance applies."""
    gamma, beta, mean, variance = tensors
    scale = gamma / np.sqrt(variance + float(norm.get("attrs", {}).get("eps", _EPSILON)))
    return scale, beta - mean * scale


def halve_weights(graph):
    """The `Graph` with weights of two axes and more in float16; a cast behind each, so that float32 computes."""
    nodes, _ = read(graph.symbol)
    values, moved = {**graph.args, **graph.aux}, {}
    for number, node in enumerate(list(nodes["nodes"])):
        if node["op"] == "null" and node["name"] in graph.args and values[node["name"]].ndim > 1:
            name = node["name"]
            values[name] = values[name].astype("float16")
            node["attrs"] = {**node.get("attrs", {}), "__dtype__": "2"}  # float16 in MXNet's count
            moved[number] = len(nodes["nodes"])
            cast = {"op": "Cast", "name": f"{name}.float32", "attrs": {"dtype": "float32"}, "inputs": []}
            nodes["nodes"].append(cast)
    return write(graph, nodes, moved, values, casts=True)


def read(symbol):
    """(the graph as plain data, how often each node is read)."""
    data = json.loads(symbol.tojson())
    readers = [0] * len(data["nodes"])
    for at in (*(at for node in data["nodes"] for at in node["inputs"]), *data["heads"]):
        readers[at[0]] += 1
    return data, readers


def write(graph, data, moved, values, casts=False):
    """A `Graph` of plain data in which what read a node reads another instead: `moved`, number -> number."""
    for node in data["nodes"]:
        node["inputs"] = [[moved.get(at[0], at[0]), *at[1:]] for at in node["inputs"]]
    data["heads"] = [[moved.get(at[0], at[0]), *at[1:]] for at in data["heads"]]
    if casts:
        for source, cast in moved.items():
            data["nodes"][cast]["inputs"] = [[source, 0, 0]]
    data["node_row_ptr"] = list(range(len(data["nodes"]) + 1))
    symbol = mx.sym.load_json(json.dumps(data))
    return dataclasses.replace(
        graph,
        symbol=symbol,
        args={name: values[name] for name in symbol.list_arguments() if name in values},
        aux={name: values[name] for name in symbol.list_auxiliary_states()},
    )
