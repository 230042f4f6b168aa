"""Where oneDNN would fall to its reference kernels in bfloat16 training, and what keeps it from that."""

import json

import mxnet as mx

#: norms of at most so many channels: convolutions beside them take another layout forward than back
NARROW = 32


def aligned(symbol, params):
    """`symbol` with a copy behind each batch normalization of few channels; params: name -> `Parameter`.

    oneDNN's gradient of the norm wants its input and what comes from above in one layout, else it takes a kernel some
    hundred times slower. With few channels the AMX convolutions exist in one direction only, so the layouts differ. A
    slice of everything has the plain layout, which the norm brings to that of its input.
    """
    graph = json.loads(symbol.tojson(remove_amp_cast=False))
    nodes, place = [], []  # of the new graph; old number of a node -> (new one, the one whose first output others read)
    for node in graph["nodes"]:
        node["inputs"] = [[place[i][output == 0], output, version] for i, output, version in node["inputs"]]
        nodes.append(node)
        number = len(nodes) - 1
        if node["op"] == "BatchNorm" and _channels(nodes, node, params) <= NARROW:
            name, attributes = f"{node['name']}_aligned", {"axis": "0", "begin": "0", "end": "None"}
            nodes.append({"op": "slice_axis", "name": name, "attrs": attributes, "inputs": [[number, 0, 0]]})
        place.append((number, len(nodes) - 1))
    graph["heads"] = [[place[i][output == 0], output, version] for i, output, version in graph["heads"]]
    graph["arg_nodes"] = [i for i, node in enumerate(nodes) if node["op"] == "null"]
    graph["node_row_ptr"] = list(range(len(nodes) + 1))
    graph["nodes"] = nodes
    return mx.sym.load_json(json.dumps(graph))


def _channels(nodes, norm, params):
    return params[nodes[norm["inputs"][1][0]]["name"]].shape[0]
