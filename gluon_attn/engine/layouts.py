"""Mixed-precision graphs that run fast on a CPU: what is put between their operators."""

import json

import mxnet as mx

#: norms of at most so many channels: convolutions beside them take another layout forward than back
NARROW = 32
#: compiled operators whose result is a map, which goes on in low precision; those of the others are statistics
_MAPS = {
    f"gluon_attn_{name}"
    for name in (
        "gate", "shift", "cross_gate", "sge", "sigmoid_gate", "depthwise", "pointwise", "separable", "batch_norm",
        "weighted_sum",
    )
}  # fmt: skip


def aligned(symbol, params):
    """`symbol` with a copy behind each batch normalization of few channels; params: name -> `Parameter`.

    oneDNN's gradient of the norm wants its input and what comes from above in one layout, else it takes a kernel some
    hundred times slower. With few channels the AMX convolutions exist in one direction only, so the layouts differ. A
    slice of everything has the plain layout, which the norm brings to that of its input.
    """

    def copy(node, inputs):
        gamma = inputs[1]["name"] if node["op"] == "BatchNorm" else None
        if gamma in params and params[gamma].shape[0] <= NARROW:  # a compiled norm's own has no map and no gradient
            return "slice_axis", {"axis": "0", "begin": "0", "end": "None"}
        return None

    return spliced(symbol, lambda *_: None, copy)


def widened(symbol, dtype):
    """`symbol` with casts around compiled operators, which compute in float32: from `dtype` to it and back."""

    def to_float32(node, source):
        return ("amp_cast", {"dtype": "float32"}) if _compiled(node) and source["op"] != "null" else None

    def back(node, inputs):
        return ("amp_cast", {"dtype": dtype}) if node["op"] in _MAPS else None

    return spliced(symbol, to_float32, back)


def _compiled(node):
    return node["op"].startswith("gluon_attn_")


def spliced(symbol, before, after):
    """`symbol` with operators put in between, each (name, attributes), or None for none.

    before(node, source): in front of an input of a node; after(node, sources): behind a node's first output.
    """
    graph, nodes, place = json.loads(symbol.tojson(remove_amp_cast=False)), [], []

    def add(chosen, source, suffix):
        if chosen is None:
            return source
        name = f"{nodes[source[0]]['name']}_{suffix}{len(nodes)}"
        nodes.append({"op": chosen[0], "name": name, "attrs": chosen[1], "inputs": [source]})
        return [len(nodes) - 1, 0, 0]

    def moved(source):  # place: old number of a node -> (its new one, where its first output is to be had)
        number, output, version = source
        return place[number][1] if output == 0 else [place[number][0], output, version]

    for node in graph["nodes"]:
        sources = [moved(source) for source in node["inputs"]]
        node["inputs"] = [add(before(node, nodes[source[0]]), source, "in") for source in sources]
        nodes.append(node)
        number = len(nodes) - 1
        chosen = after(node, [nodes[source[0]] for source in node["inputs"]])
        place.append((number, add(chosen, [number, 0, 0], "out")))
    graph["heads"] = [moved(source) for source in graph["heads"]]
    graph["arg_nodes"] = [i for i, node in enumerate(nodes) if node["op"] == "null"]
    graph["node_row_ptr"] = list(range(len(nodes) + 1))
    graph["nodes"] = nodes
    return mx.sym.load_json(json.dumps(graph))
