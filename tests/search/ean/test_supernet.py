"""EAN's supernet agrees with the plain network of each scheme, and a new scheme needs no new graph."""

from functools import cache

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_attn import get_model, list_attentions, load_params, save_params
from gluon_attn.models.plan import Plan
from gluon_attn.search.ean.supernet import Supernet, make_supernet
from gluon_attn.utils.errors import UserError

NAME, BLOCKS = "cifar_resnet20_v1", 9
#: all, none, a stage without attention, late first blocks; ordered so that the number of connected blocks changes
SCHEMES = ["000010101", "110001000", "111011100", "101000001", "0" * 9, "001010011", "1" * 9]
IMAGES = mx.nd.array(np.random.default_rng(0).normal(size=(2, 3, 16, 16)))
OPTIONS = {"se": {"reduction": 4}, "sge": {"groups": 4}, "dia": {}, "cbam": {}}


def plan(attention, scheme=None):
    return Plan([{"name": attention, "shared": True, "scheme": scheme, "options": OPTIONS.get(attention, {})}])


def supernet(attention, name=NAME, hybrid=True, **options):
    net = make_supernet(name, 4, attention, OPTIONS.get(attention), input_size=16, **options)
    net.initialize(mx.init.Normal(0.1))
    net.sample_schemes = False
    if hybrid:
        net.hybridize(static_alloc=True, static_shape=True)
    return net


def plain_network(net, attention, scheme, name=NAME):
    """The plain network of a scheme with the supernet's weights."""
    plain = get_model(name, 4, plan=plan(attention, scheme), input_size=16)
    plain.initialize()
    weights = net._collect_params_with_prefix()
    for key, param in plain._collect_params_with_prefix().items():
        param.set_data(weights[key].data())
    plain.hybridize(static_alloc=True, static_shape=True)
    return plain


def trained_once(net):
    """(outputs, parameter name -> gradient) of a step."""
    with autograd.record():
        out = net(IMAGES)
        total = (out * out).sum()
    total.backward()
    grads = {k: p.grad().asnumpy() for k, p in net._collect_params_with_prefix().items() if p.grad_req != "null"}
    return out.asnumpy(), grads


@cache
def plain_results(attention):
    """(weights, {scheme: (output in evaluation, output in training, gradients)}) of the plain networks."""
    net, results = supernet(attention, hybrid=False), {}
    for scheme in SCHEMES:
        plain = plain_network(net, attention, scheme)
        results[scheme] = plain(IMAGES).asnumpy(), *trained_once(plain)
    return {key: param.data().copy() for key, param in net._collect_params_with_prefix().items()}, results


@pytest.mark.parametrize("hybrid", [True, False])
@pytest.mark.parametrize("attention", OPTIONS)
def test_every_scheme_equals_its_plain_network(attention, hybrid):
    net, (weights, results) = supernet(attention, hybrid=hybrid), plain_results(attention)
    for scheme in SCHEMES:
        net.scheme = scheme
        for key, param in net._collect_params_with_prefix().items():
            param.set_data(weights[key])
        evaluated, wanted, wanted_gradients = results[scheme]
        assert np.array_equal(net(IMAGES).asnumpy(), evaluated)
        outputs, gradients = trained_once(net)
        assert np.array_equal(outputs, wanted)
        for key, value in wanted_gradients.items():
            assert np.allclose(gradients[key], value, rtol=1e-5, atol=1e-5 * abs(value).max()), key


def test_gradients_over_several_steps():
    """With static memory MXNet keeps the first gradient of the attention, so `hybridize` does not use it."""
    net, plain = supernet("se"), supernet("se", hybrid=False)
    weights = net._collect_params_with_prefix()
    for key, param in plain._collect_params_with_prefix().items():
        param.set_data(weights[key].data())
    for scheme in SCHEMES:
        net.scheme = plain.scheme = scheme
        wanted = trained_once(plain)[1]
        for key, value in trained_once(net)[1].items():
            if ".post." not in key or "1" in stage_bits(scheme, key):
                assert np.allclose(value, wanted[key], rtol=1e-4, atol=1e-5 * abs(wanted[key]).max()), (scheme, key)


def stage_bits(scheme, key):
    """The part of a scheme for the stage of a parameter, `features.2` to `features.4`."""
    stage = int(key.split(".")[1]) - 2
    return scheme[3 * stage : 3 * stage + 3]


def test_schemes_have_different_outputs():
    net, seen = supernet("dia"), set()
    for scheme in ("0" * 9, *("0" * i + "1" + "0" * (8 - i) for i in range(9))):
        net.scheme = scheme
        seen.add(net(IMAGES).asnumpy().tobytes())
    assert len(seen) == 10


@pytest.mark.parametrize("name", ["dia_fbresnet50", "forward_config_share_sge_resnet50"])
def test_networks_with_attention_in_their_name(name):
    net = make_supernet(name, 3, input_size=64)
    assert (net.blocks, net.scheme) == ((3, 4, 6, 3), "0" * 16)
    net.initialize()
    x = mx.nd.array(np.random.default_rng(0).normal(size=(1, 3, 64, 64)))
    net.scheme = "0010011010010001"
    plain = get_model(name, 3, scheme=net.scheme, input_size=64)
    plain.initialize()
    weights = net._collect_params_with_prefix()
    for key, param in plain._collect_params_with_prefix().items():
        param.set_data(weights[key].data())
    assert np.array_equal(net(x).asnumpy(), plain(x).asnumpy())


@pytest.mark.parametrize("attention", ["eca", "ge_theta_plus", "simam", "coord", "identity", "gc", "split"])
def test_other_attentions_of_the_registry(attention):
    assert attention in list_attentions()
    net = supernet(attention)
    net.scheme = "010010100"
    assert np.array_equal(net(IMAGES).asnumpy(), plain_network(net, attention, net.scheme)(IMAGES).asnumpy())


def test_new_schemes_need_no_new_graph(monkeypatch):
    """Two graphs for each block, one for each other layer, for any number of schemes."""
    built, build = [], mx.gluon.HybridBlock._build_cache
    monkeypatch.setattr(
        mx.gluon.HybridBlock, "_build_cache", lambda self, *args: (built.append(self), build(self, *args))
    )
    net = supernet("dia")
    for scheme in ("0" * 9, "1" * 9):
        net.scheme = scheme
        trained_once(net)
    assert len(built) == 2 * BLOCKS + 5  # convolution and norm of the stem, pooling, flattening, classifier
    for i in range(8):
        net.scheme = f"{37 * i:09b}"
        trained_once(net)
    assert len(built) == 2 * BLOCKS + 5


def test_training_samples_schemes_and_evaluation_does_not():
    net, drawn = supernet("se"), []
    net.sample_schemes, seen = True, type(net.net).__call__
    spied = lambda self, x: (drawn.append(net.scheme), seen(self, x))[1]  # noqa: E731
    type(net.net).__call__, net.scheme = spied, "1" * 9
    try:
        np.random.seed(1)
        for _ in range(20):
            trained_once(net)
        np.random.seed(1)
        trained_once(net)
        net(IMAGES)
    finally:
        type(net.net).__call__ = seen
    assert len(set(drawn[:20])) > 15
    assert drawn[20] == drawn[0]
    assert drawn[21] == net.scheme == "1" * 9


def test_update_without_connected_blocks():
    """An attention without connections gets a gradient of zero, not the one of the previous step."""
    net = supernet("se")
    trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    net.sample_schemes = True
    weight = net.net.features[2][0].post.collect_params()
    for scheme, moves in (("111111111", True), ("000111000", False)):
        before = {name: p.data().asnumpy() for name, p in weight.items()}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(np.random, "randint", lambda *args, s=scheme: np.array([int(bit) for bit in s]))
            trained_once(net)
        trainer.step(2)
        moved = [not np.array_equal(before[name], p.data().asnumpy()) for name, p in weight.items()]
        assert any(moved) == moves


def test_parameter_files_are_those_of_the_plain_network(tmp_path):
    net = supernet("sge")
    save_params(net, tmp_path / "net.params")
    plain = get_model(NAME, 4, plan=plan("sge"), input_size=16)
    load_params(plain, tmp_path / "net.params")
    net.scheme = "1" * 9
    assert np.array_equal(net(IMAGES).asnumpy(), plain(IMAGES).asnumpy())
    again = supernet("sge")
    load_params(again, tmp_path / "net.params")
    again.scheme = net.scheme = "010100100"
    assert np.array_equal(net(IMAGES).asnumpy(), again(IMAGES).asnumpy())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: make_supernet(NAME, 4), "needs an attention to share"),
        (lambda: make_supernet("dia_fbresnet50", 4, "se"), "has its attention in its name"),
        (lambda: make_supernet("mobilenet_v2", 4, "se"), "share one attention per stage"),
        (lambda: Supernet(mx.gluon.nn.HybridSequential()), "no stages of residual blocks"),
        (lambda: Supernet(get_model(NAME, plan=plan("se", "1" * 8 + "0"))), "share one attention per stage"),
        (lambda: make_supernet("fbresnet50", 4, "nosuch"), "nosuch"),
        (lambda: setattr(supernet("se"), "scheme", "101"), "the scheme has 3 bits, the network 9 blocks"),
        (lambda: setattr(supernet("se"), "scheme", "2" * 9), "must be zeros and ones"),
        (lambda: supernet("se")(mx.sym.var("data")), "a supernet has a graph for each scheme"),
        (lambda: make_supernet("eca_resnet18", 4), "needs an attention|share one attention"),
    ],
)
def test_errors(make, words):
    with pytest.raises(UserError, match=words):
        make()
