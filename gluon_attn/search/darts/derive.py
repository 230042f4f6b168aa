"""From mixing weights to genotypes: the strongest choices, as DARTS takes them."""

import numpy as np

from ...genotypes.attention import AttentionGenotype
from ...genotypes.cell import CellEdges, CellGenotype
from ...utils.errors import UserError

_ZERO, SKIP = "none", "skip_connect"


def shares(weights):
    """Softmax over the last axis of a NumPy array."""
    powers = np.exp(weights - weights.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def strongest(row, names):
    """(share, name) of the greatest share in a row, without that of "none"; of equal ones the first."""
    best = max((i for i, name in enumerate(names) if name != _ZERO), key=lambda i: row[i])
    return row[best], names[best]


def chosen_edges(rows, names, nodes, most_skips=None):
    """(name, input, edge) of the two strongest edges of each node; rows: shares, one row an edge.

    most_skips: of more skip connections the weakest give way to what is next strongest, one after the other, as in
    P-DARTS (Chen et al. 2019, https://arxiv.org/abs/1904.12760).
    """
    found = _strongest_edges(rows, names, nodes)
    if most_skips is None or SKIP not in names:
        return found
    rows, skip = rows.copy(), names.index(SKIP)
    if set(names) <= {_ZERO, SKIP}:
        raise UserError("a limit on skip connections needs other operations beside them")
    while True:
        skips = [edge for name, _, edge in found if name == SKIP]
        if len(skips) <= most_skips:
            return found
        rows[min(skips, key=lambda edge: rows[edge, skip]), skip] = -1  # below every share
        found = _strongest_edges(rows, names, nodes)


def _strongest_edges(rows, names, nodes):
    found, start = [], 0
    for inputs in range(2, 2 + nodes):
        best = [strongest(row, names) for row in rows[start : start + inputs]]
        order = sorted(range(inputs), key=lambda source: -best[source][0])  # of equal ones the first
        found += [(best[source][1], source, start + source) for source in order[:2]]
        start += inputs
    return found


def entropies(weights):
    """Name -> mean entropy of its choices, in nats, of mixing weights {name: array}."""
    parts = {name: shares(np.asarray(values, np.float64)) for name, values in weights.items()}
    return {name: float(-(p * np.log(np.maximum(p, 1e-300))).sum(-1).mean()) for name, p in parts.items()}


def attention_genotype_of(weights, space, most_skips=None):
    """The `AttentionGenotype` of mixing weights {"alphas": array} of an `AttentionSpace`."""
    edges = chosen_edges(shares(weights["alphas"]), space.operations, space.nodes, most_skips)
    return AttentionGenotype([(name, source) for name, source, _ in edges])


def cell_genotype_of(weights, space, most_skips=None):
    """The `CellGenotype` of mixing weights {"alphas_normal": array ...} of a `CellSpace`.

    most_skips: in the normal cell.
    """
    return CellGenotype(_cell(weights, space, "normal", most_skips), _cell(weights, space, "reduce", None))


def _cell(weights, space, kind, most_skips):
    edges, rows = [], shares(weights[f"alphas_{kind}"])
    if f"edges_{kind}" in weights:
        rows = rows * _edge_shares(weights[f"edges_{kind}"], space.nodes)[:, None]
    for first, source, edge in chosen_edges(rows, space.first, space.nodes, most_skips):
        second = strongest(shares(weights[f"betas_{kind}"])[edge], space.second)[1] if space.second else ""
        edges.append((first, source, second))
    bottleneck = strongest(shares(weights[f"gammas_{kind}"]), space.last)[1] if space.last else ""
    return CellEdges(edges, list(range(2, 2 + space.nodes)), bottleneck)


def _edge_shares(weights, nodes):
    """Softmax over the edges into each node."""
    ends = np.cumsum([2 + node for node in range(nodes)])
    return np.concatenate([shares(part) for part in np.split(weights, ends[:-1])])
