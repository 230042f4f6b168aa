import json
import os
from concurrent.futures import ThreadPoolExecutor

import mxnet as mx
import numpy as np
import pytest
from networks import network

import gluon_attn
from gluon_attn.deploy import mxnet_form
from gluon_attn.deploy.export import export_network
from gluon_attn.deploy.targets import ExportTarget
from gluon_attn.nn import kernels


def far(found, expected):
    return abs(found - expected).max() / abs(expected).max()


@pytest.mark.parametrize(("dtype", "limit"), [("float32", 1e-5), ("bfloat16", 0.1)])
def test_it_computes_what_the_network_does_and_keeps_its_weights(dtype, limit):
    net, card = network("cifar_resnet20_v1", attention="cbam")
    x = mx.nd.array(np.random.default_rng(0).normal(size=(5, *card.input_shape)))
    expected = net(x).asnumpy()
    optimized = gluon_attn.optimize_for_inference(net, dtype=dtype, batch_size=2)
    assert far(optimized(x).asnumpy(), expected) < limit
    assert far(optimized(x[:1]).asnumpy(), expected[:1]) < limit  # another batch
    for parameter in net.collect_params().values():
        parameter.set_data(parameter.data() * 0.5)
    assert far(optimized(x).asnumpy(), expected) < limit
    assert far(net(x).asnumpy(), expected) > 0.3


def test_compiled_operators_are_there_and_in_no_file(monkeypatch, tmp_path):
    assert kernels.problem() is None
    net, card = network("cifar_resnet20_v1", attention="se")
    monkeypatch.setattr(mxnet_form, "fastest_graph", lambda graphs, inputs: list(graphs)[-1])
    optimized = gluon_attn.optimize_for_inference(net)
    assert "gluon_attn_gate" in optimized.symbol.tojson()
    (exported,) = export_network(net, card, "net", [ExportTarget("symbol")], tmp_path)
    assert "gluon_attn" not in next(exported.path.glob("*-symbol.json")).read_text()


def test_several_threads_take_turns():
    net, card = network("cifar_resnet20_v1", attention="cbam")
    x = mx.nd.array(np.random.default_rng(0).normal(size=(1, *card.input_shape)))
    expected, stderr = net(x).asnumpy(), os.fstat(2)
    with ThreadPoolExecutor(3) as threads:
        for optimized in threads.map(lambda _: gluon_attn.optimize_for_inference(net), range(6)):
            assert far(optimized(x).asnumpy(), expected) < 1e-5
    assert os.path.samestat(os.fstat(2), stderr)  # where MXNet's messages are dropped while a form is tried


def test_without_a_compiler(monkeypatch):
    net, card = network("cifar_resnet20_v1", attention="se")
    monkeypatch.setattr(kernels, "problem", lambda: "no C++ compiler")
    optimized = gluon_attn.optimize_for_inference(net)
    assert not any(node["op"].startswith("gluon_attn") for node in json.loads(optimized.symbol.tojson())["nodes"])
    x = mx.nd.ones((1, *card.input_shape))
    assert far(optimized(x).asnumpy(), net(x).asnumpy()) < 1e-5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "int8"}, "computes in float32 or bfloat16, not in 'int8'"),
        ({"batch_size": 0}, "batch_size must be a whole number above 0"),
        ({"batch_size": None}, "batch_size must be a whole number above 0"),
        ({"input_size": 32.5}, "input_size must be a whole number above 0"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(gluon_attn.UserError, match=message):
        gluon_attn.optimize_for_inference(network("cifar_resnet20_v1")[0], **options)


def test_images_of_another_size():
    """The graph would take them where the network does not: some attentions have weights for each position."""
    net = gluon_attn.get_model("cifar_resnet20_v1", 10, attention="aa", input_size=16)
    net.initialize(mx.init.Xavier())
    optimized = gluon_attn.optimize_for_inference(net)  # for the network's own size
    optimized(mx.nd.zeros((3, 3, 16, 16)))
    with pytest.raises(gluon_attn.UserError, match="optimized for images of 3x16x16, got 3x48x48"):
        optimized(mx.nd.zeros((1, 3, 48, 48)))


def test_no_gradients():
    net, card = network("cifar_resnet20_v1", attention="se")
    x = mx.nd.ones((1, *card.input_shape))
    x.attach_grad()
    optimized = gluon_attn.optimize_for_inference(net)
    with mx.autograd.record():
        logits = optimized(x)
    with pytest.raises(mx.MXNetError, match="Cannot differentiate"):
        logits.backward()


def test_wrong_networks():
    with pytest.raises(gluon_attn.UserError, match="takes a classifier of get_model"):
        gluon_attn.optimize_for_inference(mx.gluon.nn.Dense(3))
    with pytest.raises(gluon_attn.UserError, match="takes a classifier of get_model"):
        gluon_attn.optimize_for_inference(gluon_attn.get_model("faster_rcnn_fpn_resnet18_v1b", 3))
    with pytest.raises(gluon_attn.UserError, match=r"has no weights yet \(.*conv0_weight\): initialize it or load"):
        gluon_attn.optimize_for_inference(gluon_attn.get_model("cifar_resnet20_v1", 10))
    net = gluon_attn.get_model("botnet26t", 10, input_size=64)
    net.initialize()
    with pytest.raises(gluon_attn.UserError, match="does not take an input of shape"):
        gluon_attn.optimize_for_inference(net, input_size=96)
