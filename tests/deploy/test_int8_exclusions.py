import json

import mxnet as mx
import pytest
from graphs import ROUNDING, Drawing, apart, inputs
from networks import network

from gluon_attn.deploy import graph_edit, int8_exclusions, openvino, precision, symbol
from gluon_attn.deploy.graph import trace


def test_what_serves_gates():
    inputs_of = {
        "x": [], "conv": ["x"], "pool": ["conv"], "fc": ["pool"], "sigmoid": ["fc"], "mul": ["conv", "sigmoid"],
        "q": ["mul"], "k": ["mul"], "v": ["mul"], "qk": ["q", "k"], "softmax": ["qk"], "out": ["softmax", "v"],
    }  # fmt: skip
    found = int8_exclusions.serving(inputs_of, {"sigmoid", "softmax"})
    assert found == {"pool", "fc", "sigmoid", "q", "k", "qk", "softmax"}


def test_gates_of_a_fused_symbol_stay_in_float():
    net, card = network("cifar_resnet20_v1", attention="se")
    graph = graph_edit.fold_norms(trace(net, card, plain=True))
    data = inputs(card, 8)
    nodes = json.loads(precision.to_int8(graph, data).symbol.tojson())["nodes"]
    names = [node["name"] for node in nodes]
    quantized = [name for name in names if name.startswith("quantized_") and "conv" in name]
    # 9 blocks of 2 convolutions and the stem are int8, both layers of each gate are not
    assert len(quantized) == 9 * 2 + 1 + 2
    weights = [name for name in names if name.endswith("weight_quantize")]
    assert not [name for name in weights if "se" in name.split("_")]


def test_hard_gates_stay_in_float():
    """Those of MobileNetV3, in MXNet's graph."""
    net, card = network("mobilenet_v3_small", multiplier=0.25, input_size=64)
    graph = graph_edit.fold_norms(trace(net, card, plain=True))
    nodes = json.loads(precision.to_int8(graph, inputs(card, 8)).symbol.tojson())["nodes"]
    names = [node["name"] for node in nodes if node["name"].startswith("quantized_") and "conv" in node["name"]]
    assert names
    assert not [name for name in names if "se" in name.split("_")]


#: groups of eight channels, channels of the output -> whether MXNet's int8 computes it rightly
GROUPED = {(1, 8): True, (2, 8): False, (4, 8): False, (8, 8): True, (8, 16): False, (4, 4): True}


@pytest.mark.parametrize("activation", [False, True], ids=["alone", "fused"])
@pytest.mark.parametrize(("groups", "channels"), GROUPED)
def test_grouped_convolutions_that_mxnet_gets_wrong_stay_in_float(groups, channels, activation):
    drawing = Drawing()
    y = drawing.layer(mx.sym.Activation(drawing.layer(mx.sym.var("data")), act_type="relu"), channels, groups)
    graph = drawing.graph(mx.sym.Activation(y, act_type="relu") if activation else y, last=False)
    x = mx.nd.random.normal(shape=(16, 8, 16, 16))
    quantized = precision.to_int8(graph, x.asnumpy())
    assert apart(quantized, x, symbol.block(graph)(x).asnumpy()) <= ROUNDING
    nodes = json.loads(quantized.symbol.tojson())["nodes"]
    in_int8 = [node for node in nodes if node.get("attrs", {}).get("quantized") == "true"]
    assert len(in_int8) == 1 + GROUPED[groups, channels]


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("mobilenet_v3_small", {"multiplier": 0.25, "input_size": 64}, "HSigmoid"),
        ("cifar_resnet20_v1", {"attention": "se"}, "Sigmoid"),
        ("cifar_resnet20_v1", {"attention": "split"}, "Softmax"),
    ],
)
def test_gates_stay_in_float_in_openvino(tmp_path, name, options, kind):
    runtime = pytest.importorskip("openvino")
    pytest.importorskip("onnxruntime")
    pytest.importorskip("nncf")
    net, card = network(name, **options)
    graph = graph_edit.fold_norms(trace(net, card, plain=True))
    path = openvino.write_openvino(graph, tmp_path / "net.xml", "int8", inputs(card, 8))
    operations = runtime.Core().read_model(str(path)).get_ordered_ops()
    assert [one for one in operations if one.get_type_name() == "FakeQuantize"]
    found = [one for one in operations if one.get_type_name() == kind]
    gates = [one for one in found if "hardswish" not in one.get_friendly_name()]  # an activation, of quantized layers
    assert gates
    for gate in gates:
        kinds = [one.get_type_name() for one in _back_to_pooling(gate)]
        assert "ReduceMean" in kinds
        assert "Convolution" in kinds
        assert "FakeQuantize" not in kinds


def _back_to_pooling(operation):
    """An operation and all that it is computed from, as far as the poolings, which are the last."""
    yield operation
    if operation.get_type_name() != "ReduceMean":
        for value in operation.input_values():
            yield from _back_to_pooling(value.get_node())
