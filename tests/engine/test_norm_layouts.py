"""Copies around batch normalizations: where they stand, and that they change no number."""

import json

import mxnet as mx
import numpy as np
import pytest
from graphs import convolutions, same_numbers
from mxnet import gluon
from mxnet.contrib import amp

from gluon_attn import get_model
from gluon_attn.engine.norm_layouts import NARROW, copy_after_narrow_norms, copy_between_layouts
from gluon_attn.engine.precision import computing, with_fast_steps
from gluon_attn.nn import kernels


def network(channels):
    net = gluon.nn.HybridSequential()
    for wide in (channels, 2 * channels):
        net.add(gluon.nn.Conv2D(wide, 3, use_bias=False), gluon.nn.BatchNorm(), gluon.nn.Activation("relu"))
    net.initialize(mx.init.Xavier())
    net(mx.nd.zeros((1, 3, 12, 12)))
    return net


def copies(symbol):
    """For each copy the operator before it and those behind."""
    nodes = json.loads(symbol.tojson())["nodes"]
    readers = {i: [n["op"] for n in nodes if any(number == i for number, *_ in n["inputs"])] for i in range(len(nodes))}
    return [(nodes[n["inputs"][0][0]]["op"], readers[i]) for i, n in enumerate(nodes) if n["op"] == "slice_axis"]


@pytest.mark.filterwarnings("ignore:Cannot decide type")
@pytest.mark.parametrize(("channels", "number"), [(NARROW // 2, 2), (NARROW, 1), (2 * NARROW, 0)])
def test_copies_stand_behind_narrow_norms_and_change_nothing(channels, number):
    net, data = network(channels), mx.sym.var("data")
    plain = net(data)
    symbol = copy_after_narrow_norms(plain, net.collect_params())
    assert len(copies(symbol)) == number
    assert symbol.list_arguments() == plain.list_arguments()
    assert symbol.list_auxiliary_states() == plain.list_auxiliary_states()

    same_numbers(net, plain, symbol, mx.nd.random.normal(shape=(4, 3, 12, 12)))


def test_a_norm_at_the_end():
    norm = gluon.nn.BatchNorm(in_channels=NARROW)
    norm.initialize()
    symbol = copy_after_narrow_norms(norm(mx.sym.var("data")), norm.collect_params())
    assert json.loads(symbol.tojson())["nodes"][-1]["op"] == "slice_axis"
    assert symbol.list_outputs()[0].startswith(f"{norm.name}_fwd_out")


BEHIND, BEFORE = ("BatchNorm", ["Activation"]), ("Convolution", ["BatchNorm"])


@pytest.mark.filterwarnings("ignore:Cannot decide type")
@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([(32, 1, 1), (64, 3, 1)], None),  # blocks of 16 everywhere
        ([(32, 1, 1), (32, 3, 32), (64, 1, 1)], None),  # a depthwise one, too
        ([(32, 1, 1), (24, 1, 1)], [BEHIND]),  # 16, then 8
        ([(24, 1, 1), (24, 3, 24), (24, 1, 1)], None),  # 8 everywhere
        ([(24, 1, 1), (24, 3, 24), (32, 1, 1), (64, 1, 1)], [BEHIND]),
        ([(32, 1, 1), (32, 3, 8), (64, 1, 1)], [BEHIND, BEFORE, BEHIND]),  # 16, then 4, then 16
        ([(32, 1, 1), (32, 3, 8)], [BEHIND, BEFORE]),
    ],
)
def test_copies_stand_where_layouts_differ(rows, wanted):
    net = convolutions(*rows)
    plain = net(mx.sym.var("data"))
    symbol = copy_between_layouts(plain, net.collect_params())
    assert (None if symbol is plain else copies(symbol)) == wanted
    if symbol is not None:
        same_numbers(net, plain, symbol, mx.nd.random.normal(shape=(4, 16, 12, 12)))


def test_casts_of_weights_hide_no_layout():
    net = convolutions((32, 1, 1), (24, 1, 1))
    mixed = amp.convert_symbol(net(mx.sym.var("data")), target_dtype="bfloat16")
    assert len(copies(copy_between_layouts(mixed, net.collect_params()))) == 1


@pytest.mark.parametrize("name", ["resnet50_v1b", "cifar_resnet20_v1"])
def test_networks_of_one_layout_stay_themselves(name):
    net = get_model(name, 10)
    net.initialize()
    assert with_fast_steps(net) is net


@pytest.mark.filterwarnings("ignore:Cannot decide type")
@pytest.mark.skipif(kernels.problem() is not None, reason=f"no compiled operators: {kernels.problem()}")
@pytest.mark.parametrize("name", ["resnext50_32x4d", "mobilenet_v3_small"])
def test_a_network_computes_the_same_with_them(name):
    """In training mode, on the network's own parameters. Rounding grows through fifty norms of few pixels."""
    net = get_model(name, 5, input_size=64)
    net.initialize(mx.init.MSRAPrelu())
    x = mx.nd.random.normal(shape=(4, 3, 64, 64))

    def gradient(form):
        mx.random.seed(1)
        with mx.autograd.record():
            loss = (form(x) ** 2).sum()
        loss.backward()
        trained = [p for p in net.collect_params().values() if p.grad_req != "null"]
        return np.concatenate([param.grad().asnumpy().ravel() for param in trained])

    with kernels.compiled_operators():
        form = computing(net, "float32")
        assert form is not net
        found = gradient(form)
    wanted = gradient(net)
    assert np.linalg.norm(found - wanted) <= 1e-2 * np.linalg.norm(wanted)


def test_mixed_precision_stays():
    net, data = network(8), mx.sym.var("data")
    mixed = copy_after_narrow_norms(amp.convert_symbol(net(data), target_dtype="bfloat16"), net.collect_params())
    casts = [n for n in json.loads(mixed.tojson(remove_amp_cast=False))["nodes"] if n["op"] == "amp_cast"]
    assert {node["attrs"]["dtype"] for node in casts} >= {"bfloat16"}
