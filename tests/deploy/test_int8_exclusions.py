import json

from graphs import inputs
from networks import network

from gluon_attn.deploy import graph_edit, int8_exclusions, precision
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
