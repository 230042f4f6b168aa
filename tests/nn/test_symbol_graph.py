"""The graph editor: what is read is written back, and each change leaves a graph that MXNet runs."""

import json

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.nn.symbol_graph import Node, Output, SymbolGraph

DOUBLE = ("_mul_scalar", {"scalar": "2"})


def block(x):
    """Two heads: the sum of x and its convolution, and that convolution's ReLU."""
    layer = mx.sym.Convolution(x, name="conv", kernel=(1, 1), num_filter=2, no_bias=True)
    return mx.sym.Group([mx.sym.broadcast_add(layer, x, name="sum"), mx.sym.relu(layer, name="relu")])


@pytest.fixture
def graph():
    return SymbolGraph.read(block(mx.sym.var("data")))


def find(graph, name):
    (node,) = (node for node in graph.nodes if node.name == name)
    return node


def run(graph):
    """The heads for data of 1, 2 and a weight of ones: a convolution gives 3 everywhere."""
    data = mx.nd.array([1, 2]).reshape((1, 2, 1, 1))
    values = {"data": data, "conv_weight": mx.nd.ones((2, 2, 1, 1))}
    symbol = graph.to_symbol()
    bound = symbol.bind(mx.cpu(), {name: values[name] for name in symbol.list_arguments()})
    return [head.asnumpy().flatten().tolist() for head in bound.forward()]


def test_what_is_read_is_written_back(graph):
    symbol = block(mx.sym.var("data"))
    assert graph.to_symbol().tojson() == symbol.tojson()
    assert graph.to_dict() == json.loads(symbol.tojson())
    assert run(graph) == [[4, 5], [3, 3]]


def test_casts_of_mixed_precision_are_kept():
    symbol = mx.sym.amp_cast(mx.sym.var("data"), dtype="float16", name="cast")
    assert [node.op for node in SymbolGraph.read(symbol).nodes] == ["null", "amp_cast"]


def test_readers(graph):
    conv, data = find(graph, "conv"), find(graph, "data")
    assert data.is_variable
    assert not conv.is_variable
    assert conv.source(0) is data
    assert [node.name for node in graph.readers(conv)] == ["sum", "relu"]
    assert (graph.uses(conv), graph.uses(find(graph, "relu"))) == (2, 1)  # a head is a use
    a = mx.sym.var("a")
    square = SymbolGraph.read(mx.sym.broadcast_mul(a, a, name="square"))
    assert [node.name for node in square.readers(square.nodes[0])] == ["square", "square"]


def test_before_one_input(graph):
    made = graph.insert_before(find(graph, "sum"), 0, *DOUBLE)
    assert made.name == f"conv_in{graph.nodes.index(made)}"
    assert run(graph) == [[7, 8], [3, 3]]
    assert [node.name for node in graph.readers(find(graph, "conv"))] == ["relu", made.name]


def test_after_an_output(graph):
    made = graph.insert_after(find(graph, "conv"), *DOUBLE)
    assert made.name == f"conv_out{graph.nodes.index(made)}"
    assert run(graph) == [[7, 8], [6, 6]]
    assert graph.readers(find(graph, "conv")) == [made]
    graph.insert_after(find(graph, "sum"), *DOUBLE, name="doubled")
    assert graph.to_symbol().list_outputs()[0] == "doubled_output"
    assert run(graph) == [[14, 16], [6, 6]]


def test_other_outputs_are_left_alone():
    split = mx.sym.SliceChannel(mx.sym.var("data"), num_outputs=2, name="split")
    graph = SymbolGraph.read(mx.sym.Group([split[0], split[1]]))
    graph.insert_after(find(graph, "split"), *DOUBLE)
    assert run(graph) == [[2], [2]]  # 1 doubled, and 2


def test_one_node_in_place_of_another(graph):
    graph.replace({find(graph, "conv"): find(graph, "data"), find(graph, "relu"): find(graph, "sum")})
    assert run(graph) == [[2, 4], [2, 4]]
    assert graph.to_symbol().list_arguments() == ["data"]  # what nothing reads is gone
    assert graph.uses(find(graph, "conv")) == 0


def test_other_inputs(graph):
    add, relu = find(graph, "sum"), find(graph, "relu")
    graph.connect(relu, [Output(add)])
    assert run(graph) == [[4, 5], [4, 5]]
    assert graph.readers(add) == [relu]


def test_names_are_made_unique(graph):
    renamed = graph.rename(lambda name: name.removeprefix("conv_").removeprefix("conv") or "data")
    assert renamed == {"data": "data", "conv_weight": "weight"}
    assert [node.name for node in graph.nodes] == ["data", "weight", "data.1", "sum", "relu"]
    symbol = graph.to_symbol()
    assert symbol.list_arguments() == ["data", "weight"]


def test_fused_operators_keep_their_graphs():
    x, weight = mx.sym.var("data"), mx.sym.var("weight")
    layer = mx.sym.Convolution(x, weight, kernel=(1, 1), num_filter=2, no_bias=True)
    fused = mx.sym.Activation(layer, act_type="relu").get_backend_symbol("MKLDNN")
    graph = SymbolGraph.read(fused)
    (operator,) = (node for node in graph.nodes if node.subgraphs)
    assert [node.op for node in operator.subgraphs[0].nodes if not node.is_variable] == ["Convolution", "Activation"]
    values = {"data": mx.nd.ones((1, 3, 2, 2)), "weight": mx.nd.ones((2, 3, 1, 1))}
    for symbol in (fused, graph.to_symbol()):
        assert np.array_equal(symbol.bind(mx.cpu(), values).forward()[0].asnumpy(), np.full((1, 2, 2, 2), 3.0))


def test_substitute(graph):
    """A node of two readers becomes three, of which the middle one has several outputs; its inputs stay."""
    x, w = mx.sym.var("x"), mx.sym.var("w")
    halves = mx.sym.split(mx.sym.Convolution(x, w, kernel=(1, 1), num_filter=2, no_bias=True), num_outputs=2)
    conv = find(graph, "conv")
    graph.substitute(conv, mx.sym.concat(halves[1], 2 * halves[0], dim=1), dict(zip("xw", conv.inputs, strict=True)))
    assert graph.readers(conv) == []
    assert run(graph) == [[4, 8], [3, 6]]


def test_several_outputs_for_one_node():
    """A node takes the place of two others, whose weights come before the first of them afterwards."""
    data, weights = mx.sym.var("data"), [mx.sym.var("a"), mx.sym.var("b")]
    pair = [mx.sym.broadcast_mul(data, weight, name=f"times_{weight.name}") for weight in weights]
    graph = SymbolGraph.read(mx.sym.Group([mx.sym.negative(pair[0], name="minus"), pair[1]]))
    first, second = find(graph, "times_a"), find(graph, "times_b")
    inputs = [Output(find(graph, name)) for name in ("a", "b")]
    both = graph.insert_with_variables(first, Node("stack", "both", {"num_args": "2"}), inputs)
    halves = graph.insert_after(both, "SliceChannel", {"num_outputs": "2", "axis": "0", "squeeze_axis": "1"})
    graph.redirect({Output(first): Output(halves), Output(second): Output(halves, 1)})
    symbol = graph.to_symbol()
    names = [node.name for node in graph.nodes]
    assert names.index("b") < names.index("both") < names.index("minus")
    assert "data" not in symbol.list_arguments()
    bound = symbol.bind(mx.cpu(), {"a": mx.nd.array([2]), "b": mx.nd.array([3])})
    assert [head.asnumpy().tolist() for head in bound.forward()] == [[-2], [3]]
