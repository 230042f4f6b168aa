"""The prefix cache changes no output and saves blocks."""

import json
from functools import cache

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.search.ean.prefix_cache import PrefixCache, _ArrayStore
from gluon_attn.search.ean.supernet import make_supernet

SCHEMES = ["000010101", "000010111", "000010101", "000110111", "110010101", "000010000", "111111111", "000000000"]


@cache
def supernet(attention):
    """A supernet that is compiled for evaluation; tests share it, since none changes its weights."""
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
    net = supernet(attention)
    cached, sizes = PrefixCache(net, size), []
    for scheme in [*SCHEMES, *("".join(map(str, bits)) for bits in np.random.randint(0, 2, (8, 9)))]:
        for x in (*images, images[0].copy()):
            net.scheme = scheme
            wanted = net(x).asnumpy()
            assert np.array_equal(cached(x).asnumpy(), wanted)
            assert np.array_equal(net(x).asnumpy(), wanted)  # the supernet is left as it was
            sizes.append(cached._store.bytes)
    assert size is None or max(sizes) <= size
    assert (max(sizes) == 0) == (size == 0)


def test_cached_blocks_do_not_run(images, monkeypatch):
    net, ran = supernet("dia"), []
    cached = PrefixCache(net)

    def spied(first, run):
        return lambda number, *args: (ran.append(first + number), run(number, *args))[1]

    for number, stage in enumerate(net.stages):
        monkeypatch.setattr(stage, "_run_block", spied(3 * number, stage._run_block))
    for scheme, first in zip(SCHEMES, (0, 7, 8, 3, 0, 6, 2, 4), strict=True):
        net.scheme = scheme
        ran.clear()
        cached(images[0])
        assert ran == list(range(first, 9)), scheme
    stored = [arrays for arrays, _ in cached._store._entries.values()]
    assert sum(4 * array.size for arrays in stored for array in arrays) == cached._store.bytes > 0
    cached.clear()
    ran.clear()
    cached(images[0])
    assert len(ran) == 9


def test_frequently_requested_arrays_stay():
    """Of arrays of one size the one with the fewest requests is displaced, by one with more requests only."""
    store, one, image = _ArrayStore(3 * 4 * 10), (mx.nd.ones(10),), mx.nd.ones(1)
    for key in "aabcd":
        if key in store:
            assert store[key] is one
        else:
            store.offer(key, one, image)
    assert [key in store for key in "abcd"] == [True, True, True, False]  # as many requests are not more
    store.offer("d", one, image)
    assert [key in store for key in "abcd"] == [True, False, True, True]
    store.offer("e", (mx.nd.ones(31),), image)  # larger than the store
    assert store.bytes == 120


def test_operators_are_fused_with_the_attention_and_without(images):
    net = supernet("se")
    for net.scheme in ("1" * 9, "0" * 9):
        net(images[0])
    for stage in net.stages:
        for block in (*stage._children.values(), *stage._parts.without):
            operators = {node["op"] for node in json.loads(block._cached_graph[1].tojson())["nodes"]}
            assert "_sg_mkldnn_conv" in operators
            assert not operators & {"Convolution", "BatchNorm"}


def test_fused_operators_compute_the_same(images):
    net, plain = supernet("sge"), supernet.__wrapped__("sge")
    weights = net._collect_params_with_prefix()
    for key, param in plain._collect_params_with_prefix().items():
        param.set_data(weights[key].data())
    plain.hybridize()
    for scheme in SCHEMES:
        net.scheme = plain.scheme = scheme
        wanted = plain(images[0]).asnumpy()
        assert np.allclose(net(images[0]).asnumpy(), wanted, rtol=1e-4, atol=1e-5 * abs(wanted).max())
