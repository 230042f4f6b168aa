"""Which convolutions of a network are computed by Winograd's method, and that training has the same numbers."""

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

needs_compiler = pytest.mark.skipif(kernels.problem() is not None, reason=str(kernels.problem()))
WINOGRAD, NORM = "gluon_attn_winograd", "gluon_attn_batch_norm"
LEFT = {
    "stride": {"strides": 2},
    "kernel": {"kernel_size": 5, "padding": 2},
    "padding": {"padding": 0},
    "dilation": {"dilation": 2, "padding": 2},
    "groups": {"groups": 2},
    "channels": {"channels": 24},
}


@pytest.fixture(autouse=True)
def wide_vectors(monkeypatch):
    """As on a processor with AVX-512; the operator computes on others as well."""
    monkeypatch.setattr(winograd, "_has_wide_vectors", lambda: True)


def conv(**options):
    options = {"channels": 32, "kernel_size": 3, "padding": 1, "use_bias": False, "in_channels": 16, **options}
    return nn.Conv2D(**options)


def drawn(*layers):
    net = nn.HybridSequential()
    net.add(*layers)
    net.initialize(mx.init.Xavier())
    net(mx.nd.zeros((1, 16, 12, 12)))
    return net


def changed(net):
    """The graph of a network with compiled operators, and its form with these convolutions."""
    with kernels.compiled_operators():
        symbol, params = net(mx.sym.var("data")), net.collect_params()
        weights = {name: param.shape for name, param in params.items()}
        return symbol, stay_in_plain_memory(winograd.use_winograd(symbol, weights), params, weights)


def operators(symbol):
    return [node["op"] for node in json.loads(symbol.tojson())["nodes"]]


@needs_compiler
def test_same_numbers_with_norms_on_both_sides():
    """The norm behind the convolution is compiled, those behind others are not."""
    net = drawn(
        conv(kernel_size=1, padding=0), nn.BatchNorm(), nn.Activation("relu"),
        conv(in_channels=32), nn.BatchNorm(), nn.Activation("relu"), conv(channels=48, in_channels=32, strides=2),
        nn.BatchNorm(scale=False),
    )  # fmt: skip
    form = changed(net)[1]
    assert operators(form).count(WINOGRAD) == 1
    assert operators(form).count(NORM) == 1
    same_numbers(net, net(mx.sym.var("data")), form, mx.nd.random.normal(shape=(4, 16, 12, 12)))


@needs_compiler
def test_same_numbers_with_a_bias():
    net = drawn(conv(use_bias=True), nn.Activation("relu"))
    net[0].bias.set_data(mx.nd.random.normal(shape=32))
    form = changed(net)[1]
    assert operators(form).count(WINOGRAD) == 1
    same_numbers(net, net(mx.sym.var("data")), form, mx.nd.random.normal(shape=(4, 16, 12, 12)))


@needs_compiler
@pytest.mark.parametrize("name", ["cifar_resnet20_v1", "cifar_resnet20_v2"])
def test_all_of_stride_1_of_a_network(name):
    """In float64: in float32 one value that rounds to the other side of a ReLU changes a gradient by parts of 1000.

    MXNet's momentum of running statistics is a float32, 2.4e-7 off.
    """
    net = get_model(name, 10, attention="eca")
    net.initialize(mx.init.Xavier())
    net.cast("float64")
    net(mx.nd.zeros((1, 3, 32, 32), dtype="float64"))
    form = changed(net)[1]
    assert operators(form).count(WINOGRAD) == 16  # 18 in blocks, two of them of stride 2
    assert operators(form).count(NORM) == 16
    x = mx.nd.random.normal(shape=(8, 3, 32, 32)).astype("float64")
    same_numbers(net, net(mx.sym.var("data")), form, x, within=1e-6)


@needs_compiler
def test_norms_of_other_compiled_operators_are_compiled():
    """One behind an attention's gate, not one of a map in oneDNN's layout."""
    net = drawn(conv(kernel_size=1, padding=0), nn.BatchNorm(), get_attention("se", 32), nn.BatchNorm(epsilon=1e-3))
    symbol, form = changed(net)
    assert NORM not in operators(symbol)
    assert operators(form).count(NORM) == 1
    same_numbers(net, net(mx.sym.var("data")), form, mx.nd.random.normal(shape=(4, 16, 12, 12)))


@needs_compiler
@pytest.mark.parametrize("options", LEFT.values(), ids=LEFT)
def test_others_are_left_alone(options):
    symbol, form = changed(drawn(conv(**options)))
    assert form is symbol


@needs_compiler
@pytest.mark.parametrize("which", ["weight", "bias"])
def test_gradients_that_add_up_are_left_to_mxnet(which):
    net = drawn(conv(use_bias=True))
    getattr(net[0], which).grad_req = "add"
    with kernels.compiled_operators():
        assert with_fast_steps(net) is net


def test_without_compiled_operators_nothing_changes():
    net = drawn(conv())
    assert with_fast_steps(net) is net


@needs_compiler
def test_without_wide_vectors_nothing_changes(monkeypatch):
    monkeypatch.setattr(winograd, "_has_wide_vectors", lambda: False)
    symbol, form = changed(drawn(conv()))
    assert form is symbol


@needs_compiler
def test_frozen_weights_get_no_gradient_but_their_input_does():
    net = drawn(conv(), conv(in_channels=32))
    net[1].weight.grad_req = "null"
    with kernels.compiled_operators():
        form = with_fast_steps(net)
        assert form is not net
        form.hybridize(static_alloc=True, static_shape=True)
        with mx.autograd.record():
            y = form(mx.nd.random.normal(shape=(2, 16, 12, 12)))
        y.backward()
    assert net[0].weight.grad().norm().asscalar() > 0
