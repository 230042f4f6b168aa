"""Networks that hold all choices of a space, and the mixing weights of these as parameters."""

import mxnet as mx
from mxnet.gluon import HybridBlock, nn

from ...models.cell import attention_layer, preprocess
from ...models.slots import strided_size
from ...nn import fast
from ...nn.cell_convs import concat_channels
from ...nn.layers import GlobalAvgPool
from ...utils.checks import positive
from .mixed_op import MixedEdge, Mixture, PartialEdge
from .space import cell_space

KINDS = ("normal", "reduce")
#: weights of whole edges, whose softmax goes over those into one node
EDGES = tuple(f"edges_{kind}" for kind in KINDS)


class SearchCell(HybridBlock):
    """A cell with all edges: (N,before,..), (N,last,..) and the mixing weights -> N,nodes*channels,H,W.

    space: a `CellSpace`. The others as of `models.cell.Cell`. Weights: a row an edge for the first layers, the same
    for the second, with `parts` a number an edge, one row for the attention at the end, as far as there are such.
    parts: only one channel in so many goes through the choices, and edges have weights too.
    """

    reference_key = "search_cell"

    def __init__(self, space, before, last, channels, size, *, reduction=False, halve=False, parts=1):
        super().__init__()
        self._space, self.reduction, self.channels = space, reduction, channels * space.nodes
        self._weighted = parts > 1
        with self.name_scope():
            self.preprocess0 = preprocess(before, channels, halve, affine=False)
            self.preprocess1 = preprocess(last, channels, False, affine=False)
            self.edges = nn.HybridSequential(prefix="")
            for node in range(space.nodes):
                for source in range(2 + node):
                    place = space, channels, 2 if reduction and source < 2 else 1, size
                    self.edges.add(PartialEdge(*place, parts) if self._weighted else MixedEdge(*place))
            self.last = Mixture(prefix="last_") if space.last else None
            if self.last is not None:
                with self.last.name_scope():
                    self.last.add(*(attention_layer(name, self.channels, size) for name in space.last))

    def hybrid_forward(self, F, before, last, *weights):
        weights, ends = (weights[:-1], weights[-1]) if self.last is not None else (weights, None)
        weights, shares = (weights[:-1], weights[-1]) if self._weighted else (weights, None)
        states, edge = [self.preprocess0(before), self.preprocess1(last)], 0
        for _ in range(self._space.nodes):
            mixed = []
            for x in states:
                rows = [F.slice_axis(matrix, axis=0, begin=edge, end=edge + 1) for matrix in weights]
                mixed.append(self.edges[edge](x, *rows))
                edge += 1
            if self._weighted:
                share = F.slice_axis(shares, axis=0, begin=edge - len(states), end=edge)
                states.append(fast.weighted_sum(F, mixed, F.softmax(share, axis=0)))
            else:
                states.append(F.add_n(*mixed))
        y = concat_channels(F, states[2:], self.channels)
        return y if self.last is None else self.last(y, ends)


class CellSupernet(HybridBlock):
    """Att-DARTS's search network: N,3,H,W -> N,classes logits. `arch_parameters()` are its mixing weights.

    classes: number of outputs. location, attentions, operations, nodes: see `space.cell_space`. channels: of the nodes
    in the first cells (default 16). layers: how many cells (default 8). input_size: H, told to attentions that need
    it (default 32). partial_channels: see `PartialEdge` (default 1: all). All defaults are Att-DARTS's.
    """

    def __init__(self, classes=10, *, channels=16, layers=8, input_size=32, partial_channels=1, **space):
        super().__init__()
        self.space = space = cell_space(**space)
        parts = positive("partial_channels", partial_channels)
        layers, width, size = positive("layers", layers), positive("channels", channels), input_size
        before = last = 3 * width
        halved = False
        with self.name_scope():
            self._mixing = mixing_weights(self, space, parts > 1)
            self.stem = nn.HybridSequential(prefix="")
            self.stem.add(nn.Conv2D(last, 3, 1, 1, use_bias=False, in_channels=3), nn.BatchNorm(in_channels=last))
            self.cells = nn.HybridSequential(prefix="")
            for i in range(layers):
                reduction = i in (layers // 3, 2 * layers // 3)
                width, size = (2 * width, strided_size(size, 2)) if reduction else (width, size)
                place = space, before, last, width, size
                self.cells.add(SearchCell(*place, reduction=reduction, halve=halved, parts=parts))
                halved, before, last = reduction, last, self.cells[i].channels
            self.pool, self.flat = GlobalAvgPool(), nn.Flatten()
            self.classifier = nn.Dense(classes, in_units=last)

    def arch_parameters(self):
        """Name -> mixing weight, a `Parameter`; softmax over the last axis gives the shares."""
        return {name: getattr(self, name) for name in self._mixing}

    def hybrid_forward(self, F, x, **mixing):
        shares = {name: mixing[name] if name in EDGES else F.softmax(mixing[name], axis=-1) for name in self._mixing}
        chosen = {kind: [shares[name] for name in self._mixing if name.endswith(kind)] for kind in KINDS}
        before = last = self.stem(x)
        for cell in self.cells:
            before, last = last, cell(before, last, *chosen[KINDS[cell.reduction]])
        return self.classifier(self.flat(self.pool(last)))


def mixing_weights(net, space, edges=False):
    """Give `net` its mixing weights, near zero; returns their names: alphas, betas, gammas as Att-DARTS says.

    edges: each edge has one as well.
    """
    shapes = {"alphas": (space.edges, len(space.first)), "betas": (space.edges, len(space.second))}
    shapes["edges"] = (space.edges if edges else 0,)
    shapes["gammas"] = (len(space.last),)
    names = []
    for name, shape in shapes.items():
        for kind in KINDS if shape[-1] else ():
            names.append(f"{name}_{kind}")
            setattr(net, names[-1], mixing_weight(net, names[-1], shape))
    return tuple(names)


def mixing_weight(net, name, shape):
    """A new mixing weight, drawn as the references do."""
    return net.params.get(name, shape=shape, init=mx.init.Normal(1e-3))
