"""From architecture parameters to genotypes: DARTS's derivation of the discrete architecture.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, section 2.4: each edge keeps its strongest operation besides "none",
each node its two strongest edges.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ...genotypes.attention import AttentionGenotype
from ...genotypes.cell import CellEdges, CellGenotype
from ...utils.errors import UserError
from .space import AttentionSpace, CellSpace

_ZERO, SKIP = "none", "skip_connect"
#: an edge that stays: (operation, input of the node, index of the edge in the cell)
Edge = tuple[str, int, int]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax of `logits` over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def strongest_op(weights: np.ndarray, names: Sequence[str]) -> tuple[float, str]:
    """The operation with the largest softmax weight; "none" does not count, ties go to the first.

    Args:
        weights: softmax weights, (operations,).
        names: the operations.

    Returns:
        (weight, name).
    """
    best = max((i for i, name in enumerate(names) if name != _ZERO), key=lambda i: weights[i])
    return weights[best], names[best]


def strongest_edges(weights: np.ndarray, names: Sequence[str], nodes: int, max_skips: int | None = None) -> list[Edge]:
    """The two strongest edges of each node.

    Args:
        weights: softmax weights, (edges, operations).
        names: the operations.
        nodes: number of nodes.
        max_skips: largest number of skip connections: the weakest are replaced, one after the other, by the next
            strongest operation, as in P-DARTS (Chen et al. 2019, https://arxiv.org/abs/1904.12760). None: no limit.

    Returns:
        (operation, input, edge) of each.

    Raises:
        UserError: if `max_skips` is given and there is no other operation.
    """
    edges = _two_strongest(weights, names, nodes)
    if max_skips is None or SKIP not in names:
        return edges
    weights, skip = weights.copy(), names.index(SKIP)
    if set(names) <= {_ZERO, SKIP}:
        raise UserError("a limit on skip connections needs other operations besides them")
    while True:
        skips = [edge for name, _, edge in edges if name == SKIP]
        if len(skips) <= max_skips:
            return edges
        weights[min(skips, key=lambda edge: weights[edge, skip]), skip] = -1  # below every softmax weight
        edges = _two_strongest(weights, names, nodes)


def _two_strongest(weights: np.ndarray, names: Sequence[str], nodes: int) -> list[Edge]:
    edges: list[Edge] = []
    start = 0
    for inputs in range(2, 2 + nodes):
        best = [strongest_op(row, names) for row in weights[start : start + inputs]]
        order = sorted(range(inputs), key=lambda source: -best[source][0])  # stable: ties go to the first
        edges += [(best[source][1], source, start + source) for source in order[:2]]
        start += inputs
    return edges


def entropies(arch: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The mean entropy of the softmax over the candidates.

    Args:
        arch: architecture parameters, name -> array, whose last axis indexes the candidates.

    Returns:
        Name -> entropy in nats.
    """
    softmaxes = {name: softmax(np.asarray(values, np.float64)) for name, values in arch.items()}
    return {name: float(-(p * np.log(np.maximum(p, 1e-300))).sum(-1).mean()) for name, p in softmaxes.items()}


def derive_attention_genotype(
    arch: Mapping[str, np.ndarray], space: AttentionSpace, max_skips: int | None = None
) -> AttentionGenotype:
    """The `AttentionGenotype` of architecture parameters {"alphas": (edges, operations)}.

    Args:
        arch: name -> array.
        space: the `AttentionSpace`.
        max_skips: largest number of skip connections, see `strongest_edges`.
    """
    edges = strongest_edges(softmax(arch["alphas"]), space.operations, space.nodes, max_skips)
    return AttentionGenotype(tuple((name, source) for name, source, _ in edges))


def derive_cell_genotype(
    arch: Mapping[str, np.ndarray], space: CellSpace, max_skips: int | None = None
) -> CellGenotype:
    """The `CellGenotype` of architecture parameters {"alphas_normal": (edges, operations), ...}.

    Args:
        arch: name -> array, as `CellSupernet.arch_parameters` names them.
        space: the `CellSpace`.
        max_skips: largest number of skip connections in the normal cell, see `strongest_edges`.
    """
    return CellGenotype(_derive_cell(arch, space, "normal", max_skips), _derive_cell(arch, space, "reduce", None))


def _derive_cell(arch: Mapping[str, np.ndarray], space: CellSpace, kind: str, max_skips: int | None) -> CellEdges:
    edges, weights = [], softmax(arch[f"alphas_{kind}"])
    if f"edges_{kind}" in arch:
        weights = weights * _edge_weights(arch[f"edges_{kind}"], space.nodes)[:, None]
    for first, source, edge in strongest_edges(weights, space.first, space.nodes, max_skips):
        second = strongest_op(softmax(arch[f"betas_{kind}"])[edge], space.second)[1] if space.second else ""
        edges.append((first, source, second))
    bottleneck = strongest_op(softmax(arch[f"gammas_{kind}"]), space.last)[1] if space.last else ""
    return CellEdges(tuple(edges), tuple(range(2, 2 + space.nodes)), bottleneck)


def _edge_weights(logits: np.ndarray, nodes: int) -> np.ndarray:
    """Softmax over the edges into each node (PC-DARTS)."""
    ends = np.cumsum([2 + node for node in range(nodes)])
    return np.concatenate([softmax(part) for part in np.split(logits, ends[:-1])])
