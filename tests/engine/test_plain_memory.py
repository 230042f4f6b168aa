"""Which 1x1 convolutions beside compiled operators are compiled, too, and that training has the same numbers."""

import json

import mxnet as mx
import pytest
from graphs import same_numbers
from mxnet.gluon import nn

from gluon_attn import get_attention, get_model
from gluon_attn.engine import winograd
from gluon_attn.engine.plain_memory import stay_in_plain_memory
from gluon_attn.engine.precision import with_fast_steps
from gluon_attn.nn import kernels

pytestmark = pytest.mark.skipif(kernels.problem() is not None, reason=str(kernels.problem()))
SMALL, NORM = "gluon_attn_pointwise", "gluon_attn_batch_norm"


def conv(channels=8, kernel=1, **options):
    return nn.Conv2D(channels, kernel, **{"use_bias": False, **options})


def gate(channels, name="simam"):
    """An attention by compiled operators, by default one without weights."""
    return get_attention(name, channels)


def normed(*layers):
    return [*layers, nn.BatchNorm(), nn.Activation("relu")]


BETWEEN = {  # what stands between two compiled operators, its channels, how many of its convolutions are compiled
    "one": (lambda: [conv()], 8, 1),
    "with a bias": (lambda: [conv(use_bias=True)], 8, 1),
    "with a norm": (lambda: normed(conv()), 8, 1),
    "two": (lambda: [*normed(conv()), *normed(conv(16))], 16, 2),
    "as many as pay": (lambda: [conv(128)], 128, 1),
    "more": (lambda: [conv(144)], 144, 0),
    "3x3": (lambda: [conv(8, 3, padding=1)], 8, 0),
    "stride": (lambda: [conv(strides=2)], 8, 0),
    "padding": (lambda: [conv(padding=1)], 8, 0),
    "groups": (lambda: [conv(groups=2)], 8, 0),
    "read by oneDNN": (lambda: [*normed(conv()), conv(8, 3)], 8, 0),
}


def drawn(*layers, dtype="float32"):
    net = nn.HybridSequential()
    net.add(*layers)
    net.cast(dtype)
    net.initialize(mx.init.Xavier())
    net(mx.nd.zeros((1, 16, 6, 7), dtype=dtype))
    return net


def changed(net):
    with kernels.compiled_operators():
        symbol, params = net(mx.sym.var("data")), net.collect_params()
        return symbol, stay_in_plain_memory(symbol, params, {name: param.shape for name, param in params.items()})


def count(symbol, op):
    return sum(node["op"] == op for node in json.loads(symbol.tojson())["nodes"])


@pytest.mark.parametrize(("layers", "channels", "compiled"), BETWEEN.values(), ids=BETWEEN)
def test_convolutions_between_compiled_operators(layers, channels, compiled):
    form = changed(drawn(gate(16), *layers(), gate(channels)))[1]
    assert count(form, SMALL) == compiled


@pytest.mark.parametrize("name", ["with a bias", "two", "as many as pay"])
def test_same_numbers(name):
    """In float64, where a value seldom rounds to the other side of a ReLU; MXNet's momentum is 2.4e-7 off."""
    layers, channels, _ = BETWEEN[name]
    net = drawn(gate(16, "se"), *layers(), gate(channels, "se"), dtype="float64")
    for param in net.collect_params(".*bias|.*beta").values():
        param.set_data(mx.nd.random.normal(shape=param.shape))
    x = mx.nd.random.normal(shape=(4, 16, 6, 7)).astype("float64")
    same_numbers(net, net(mx.sym.var("data")), changed(net)[1], x, within=1e-6)


@pytest.mark.parametrize("layers", [[conv(), gate(8)], [gate(16), conv()]], ids=["first", "last"])
def test_images_and_outputs_are_left_to_onednn(layers):
    assert count(changed(drawn(*layers))[1], SMALL) == 0


def test_nothing_to_change():
    symbol, form = changed(drawn(conv(), nn.BatchNorm(), conv()))
    assert form is symbol


def test_gradients_that_add_up_are_left_to_mxnet(monkeypatch):
    monkeypatch.setattr(winograd, "_has_wide_vectors", lambda: False)
    net = drawn(gate(16), conv(), gate(8))
    net[1].weight.grad_req = "add"
    with kernels.compiled_operators():
        assert with_fast_steps(net) is net


def test_all_units_of_a_network(monkeypatch):
    """Both layers of seven attentional activations, the two others are behind a stride of 2, and all norms beside."""
    monkeypatch.setattr(winograd, "_has_wide_vectors", lambda: True)
    net = get_model("cifar_resnet20_v1", 10, attention="cha_atac")
    net.initialize(mx.init.Xavier())
    net(mx.nd.zeros((1, 3, 32, 32)))
    with kernels.compiled_operators():
        graph = with_fast_steps(net)._training._cached_graph[1]
    assert (count(graph, SMALL), count(graph, NORM)) == (14, 30)
