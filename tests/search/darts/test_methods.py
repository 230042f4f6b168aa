"""The two search methods: derivation with their options, random genotypes and their networks."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.search.darts.methods import METHODS

from .small_search import CELLS, config_of


def derived_edges(config, **arch):
    """Edges of the normal cell that `CellSearch` derives; architecture parameters that are not given are zero."""
    method = METHODS[config.kind](config)
    params = method.supernet(3, 8).arch_parameters()
    assert set(arch) <= set(params)
    return method.derive({name: np.array(arch.get(name, np.zeros(p.shape))) for name, p in params.items()})[1]


def test_skip_limit():
    edges = derived_edges(config_of(skip_limit=1), alphas_normal=[[0, 5.0, 1, 0], [0, 4, 0, 1]])
    assert sorted((source, name) for name, source, _ in edges) == [(0, "skip_connect"), (1, "dil_conv_3x3")]


def test_edge_parameters_choose_inputs():
    config = config_of(space={**CELLS, "nodes": 2, "channels": 8, "partial_channels": 2})
    edges = derived_edges(config, edges_normal=[0, 0, -3.0, 2, 2])
    assert {source for _, source, _ in edges[2:]} == {1, 2}


@pytest.mark.parametrize("kind", METHODS)
def test_random_genotypes_fit_their_network(kind):
    method, random = METHODS[kind](config_of(kind, None if kind == "att-darts" else {})), np.random.default_rng(1)
    genotypes = [method.sample(random) for _ in range(20)]
    assert len({str(genotype) for genotype in genotypes}) > 10
    net = method.network(genotypes[0], 3, 8)
    net.initialize()
    assert net(mx.nd.zeros((1, 3, 8, 8))).shape == (1, 3)
