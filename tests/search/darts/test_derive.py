"""Genotypes from architecture parameters, computed by hand."""

import numpy as np

from gluon_attn.search.darts.derive import (
    derive_attention_genotype,
    derive_cell_genotype,
    strongest_edges,
    strongest_op,
)
from gluon_attn.search.darts.space import AttentionSpace, CellSpace

SPACE = CellSpace(("none", "a", "b"), ("none", "c"), ("d", "e"), nodes=2)


def test_none_is_never_derived_and_ties_go_to_the_first():
    assert strongest_op(np.array([0.9, 0.05, 0.05]), ("none", "a", "b")) == (0.05, "a")
    rows = np.array([[0.0, 0.2, 0.1], [0.0, 0.1, 0.2], [0.9, 0.0, 0.1], [0.0, 0.3, 0.1], [0.0, 0.1, 0.4]])
    assert strongest_edges(rows, SPACE.first, 2) == [("a", 0, 0), ("b", 1, 1), ("b", 2, 4), ("a", 1, 3)]


def test_cell_with_all_kinds_of_layers():
    alphas = np.zeros((5, 3))
    alphas[4, 2] = 2
    betas = np.tile([5.0, 0.0], (5, 1))
    weights = {f"{name}_{kind}": values for kind in ("normal", "reduce") for name, values in
               (("alphas", alphas), ("betas", betas), ("gammas", np.array([0.0, 1.0])))}  # fmt: skip
    cell = derive_cell_genotype(weights, SPACE).normal
    assert cell.edges == (("a", 0, "c"), ("a", 1, "c"), ("b", 2, "c"), ("a", 0, "c"))
    assert cell.concat == (2, 3)
    assert cell.bottleneck == "e"


def test_attention_genotype():
    alphas = np.zeros((9, 9))
    alphas[:, 8] = 1
    cell = derive_attention_genotype({"alphas": alphas}, AttentionSpace())
    assert cell.att == (("spatial_score", 0), ("spatial_score", 1)) * 3
