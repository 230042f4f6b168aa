"""From mixing weights to genotypes: the strongest choices, as DARTS takes them."""

import numpy as np

from ..nn.cell_genotype import CellEdges, CellGenotype
from ..nn.genotype import AttentionGenotype

_ZERO = "none"


def shares(weights):
    """Softmax over the last axis of a NumPy array."""
    powers = np.exp(weights - weights.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def strongest(row, names):
    """(share, name) of the greatest share in a row, without that of "none"; of equal ones the first."""
    best = max((i for i, name in enumerate(names) if name != _ZERO), key=lambda i: row[i])
    return row[best], names[best]


def chosen_edges(rows, names, nodes):
    """(name, input, edge) of the two strongest edges of each node; rows: shares, one row an edge."""
    found, start = [], 0
    for inputs in range(2, 2 + nodes):
        best = [strongest(row, names) for row in rows[start : start + inputs]]
        order = sorted(range(inputs), key=lambda source: -best[source][0])  # of equal ones the first
        found += [(best[source][1], source, start + source) for source in order[:2]]
        start += inputs
    return found


def attention_genotype_of(weights, space):
    """The `AttentionGenotype` of mixing weights {"alphas": array} of an `AttentionSpace`."""
    edges = chosen_edges(shares(weights["alphas"]), space.operations, space.nodes)
    return AttentionGenotype([(name, source) for name, source, _ in edges])


def cell_genotype_of(weights, space):
    """The `CellGenotype` of mixing weights {"alphas_normal": array ...} of a `CellSpace`."""
    return CellGenotype(*(_cell(weights, space, kind) for kind in ("normal", "reduce")))


def _cell(weights, space, kind):
    edges = []
    for first, source, edge in chosen_edges(shares(weights[f"alphas_{kind}"]), space.first, space.nodes):
        second = strongest(shares(weights[f"betas_{kind}"])[edge], space.second)[1] if space.second else ""
        edges.append((first, source, second))
    bottleneck = strongest(shares(weights[f"gammas_{kind}"]), space.last)[1] if space.last else ""
    return CellEdges(edges, list(range(2, 2 + space.nodes)), bottleneck)
