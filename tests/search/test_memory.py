"""A supernet that remembers gives what it gives without, from fewer stages."""

import json

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.search.connections import make_supernet
from gluon_attn.search.memory import Remembering

SCHEMES = ["000010101", "000010111", "000010101", "000110111", "110010101", "000010000", "111111111", "000000000"]


def made(attention="dia"):
    net = make_supernet("cifar_resnet20_v1", 4, attention, input_size=16)
    net.initialize(mx.init.Normal(0.1))
    net.compile_for_evaluation(fused=True)
    return net


@pytest.fixture
def images():
    random = np.random.default_rng(0)
    return [mx.nd.array(random.normal(size=(3, 3, 16, 16))) for _ in range(2)]


@pytest.mark.parametrize("attention", ["dia", "se"])
@pytest.mark.parametrize("size", [1 << 20, 60_000, 0])
def test_the_same_outputs(attention, size, images):
    net = made(attention)
    memory = Remembering(net, size)
    for scheme in SCHEMES:
        for x in (*images, images[0].copy()):
            net.scheme = scheme
            wanted = net(x).asnumpy()
            assert np.array_equal(memory(x).asnumpy(), wanted)
            assert np.array_equal(net(x).asnumpy(), wanted)  # as if there were no memory
            assert memory._bytes <= size


def test_known_stages_do_not_run(images):
    net, ran = made(), []
    memory = Remembering(net)

    def spied(number, run):
        return lambda x: (ran.append(number), run(x))[1]

    for number, stage in enumerate(net.stages):
        stage._run = spied(number, stage._run)
    for scheme, wanted in zip(SCHEMES, ([0, 1, 2], [2], [2], [1, 2], [0, 1, 2], [2], [0, 1, 2], [1, 2]), strict=True):
        net.scheme = scheme
        ran.clear()
        memory(images[0])
        assert ran == wanted, scheme
    assert sum(4 * kept.size for _, kept in memory._kept.values()) == memory._bytes


def test_operators_are_fused_with_the_attention_and_without(images):
    net = made("se")
    for net.scheme in ("1" * 9, "0" * 9):
        net(images[0])
    for stage in net.stages:
        for block in (*stage._children.values(), *stage._parts.bare):
            operators = {node["op"] for node in json.loads(block._cached_graph[1].tojson())["nodes"]}
            assert "_sg_mkldnn_conv" in operators
            assert not operators & {"Convolution", "BatchNorm"}


def test_fused_operators_compute_the_same(images):
    net, plain = made("sge"), made("sge")
    weights = net._collect_params_with_prefix()
    for key, param in plain._collect_params_with_prefix().items():
        param.set_data(weights[key].data())
    plain.hybridize()
    for scheme in SCHEMES:
        net.scheme = plain.scheme = scheme
        wanted = plain(images[0]).asnumpy()
        assert np.allclose(net(images[0]).asnumpy(), wanted, rtol=1e-4, atol=1e-5 * abs(wanted).max())
