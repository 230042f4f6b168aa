"""A supernet that remembers gives what it gives without, from fewer blocks."""

import json

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.search.ean.prefix_cache import Remembering, _Kept
from gluon_attn.search.ean.supernet import make_supernet

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


@pytest.mark.parametrize("attention", ["dia", "se", "sge"])
@pytest.mark.parametrize("size", [None, 100_000, 0])
def test_the_same_outputs(attention, size, images):
    net = made(attention)
    memory, sizes = Remembering(net, size), []
    for scheme in [*SCHEMES, *("".join(map(str, bits)) for bits in np.random.randint(0, 2, (8, 9)))]:
        for x in (*images, images[0].copy()):
            net.scheme = scheme
            wanted = net(x).asnumpy()
            assert np.array_equal(memory(x).asnumpy(), wanted)
            assert np.array_equal(net(x).asnumpy(), wanted)  # as if there were no memory
            sizes.append(memory._kept.bytes)
    assert size is None or max(sizes) <= size
    assert (max(sizes) == 0) == (size == 0)


def test_known_blocks_do_not_run(images):
    net, ran = made(), []
    memory = Remembering(net)

    def spied(first, run):
        return lambda number, *args: (ran.append(first + number), run(number, *args))[1]

    for number, stage in enumerate(net.stages):
        stage._pass = spied(3 * number, stage._pass)
    for scheme, first in zip(SCHEMES, (0, 7, 8, 3, 0, 6, 2, 4), strict=True):
        net.scheme = scheme
        ran.clear()
        memory(images[0])
        assert ran == list(range(first, 9)), scheme
    held = [arrays for arrays, _ in memory._kept._entries.values()]
    assert sum(4 * array.size for arrays in held for array in arrays) == memory._kept.bytes > 0
    memory.forget()
    ran.clear()
    memory(images[0])
    assert len(ran) == 9


def test_what_is_called_for_often_stays():
    """Of maps of one size the one that was asked for least goes, and none for one that is worth less."""
    kept, one, image = _Kept(3 * 4 * 10), (mx.nd.ones(10),), mx.nd.ones(1)
    for key in "aabcd":
        if key in kept:
            assert kept[key] is one
        else:
            kept.offer(key, one, image)
    assert [key in kept for key in "abcd"] == [True, True, True, False]  # worth as much is not worth more
    kept.offer("d", one, image)
    assert [key in kept for key in "abcd"] == [True, False, True, True]
    kept.offer("e", (mx.nd.ones(31),), image)  # larger than all
    assert kept.bytes == 120


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
