"""Att-DARTS's search network and its architecture parameters."""

from typing import Any

import mxnet as mx
from mxnet.gluon import HybridBlock, Parameter, nn

from ...models.slots import strided_size
from ...nn.layers import GlobalAvgPool
from ...utils.checks import positive
from .search_cell import SearchCell
from .space import CellSpace, cell_space

CELL_KINDS = ("normal", "reduce")
#: PC-DARTS's edge parameters, whose softmax is over the edges into one node
EDGE_PARAMETERS = tuple(f"edges_{kind}" for kind in CELL_KINDS)


class CellSupernet(HybridBlock):
    """Att-DARTS's search network: N,3,H,W -> N,classes logits. All defaults are Att-DARTS's.

    Liu et al. 2019, https://arxiv.org/abs/1806.09055; Att-DARTS, https://github.com/chomin/Att-DARTS.

    Args:
        classes: number of outputs.
        channels: of the nodes in the first cells; doubled in each reduction cell.
        layers: number of cells.
        input_size: height of the images, for attentions that need the size of their input.
        partial_channels: 1/K of the channels go through the mixed operations, see `PartialEdge` (default: all).
        space: location, attentions, operations, nodes: see `space.cell_space`.

    Attributes:
        space: the `CellSpace`.
    """

    space: CellSpace

    def __init__(
        self,
        classes: int = 10,
        *,
        channels: int = 16,
        layers: int = 8,
        input_size: int = 32,
        partial_channels: int = 1,
        **space: Any,
    ) -> None:
        super().__init__()
        self.space = cell_space(**space)
        parts = positive("partial_channels", partial_channels)
        layers, width, size = positive("layers", layers), positive("channels", channels), input_size
        before = last = 3 * width
        halved = False
        with self.name_scope():
            self._arch_names = create_arch_parameters(self, self.space, parts > 1)
            self.stem = nn.HybridSequential(prefix="")
            self.stem.add(nn.Conv2D(last, 3, 1, 1, use_bias=False, in_channels=3), nn.BatchNorm(in_channels=last))
            self.cells = nn.HybridSequential(prefix="")
            for i in range(layers):
                reduction = i in (layers // 3, 2 * layers // 3)
                width, size = (2 * width, strided_size(size, 2)) if reduction else (width, size)
                cell_args = self.space, before, last, width, size
                self.cells.add(SearchCell(*cell_args, reduction=reduction, halve=halved, parts=parts))
                halved, before, last = reduction, last, self.cells[i].channels
            self.pool, self.flat = GlobalAvgPool(), nn.Flatten()
            self.classifier = nn.Dense(classes, in_units=last)

    def arch_parameters(self) -> dict[str, Parameter]:
        """Name -> architecture parameter; its softmax over the last axis weighs the candidates."""
        return {name: getattr(self, name) for name in self._arch_names}

    def hybrid_forward(self, F: Any, x: mx.nd.NDArray, **arch: mx.nd.NDArray) -> mx.nd.NDArray:
        """N,3,H,W -> N,classes."""
        weights = {
            name: arch[name] if name in EDGE_PARAMETERS else F.softmax(arch[name], axis=-1) for name in self._arch_names
        }
        of_kind = {kind: [weights[name] for name in self._arch_names if name.endswith(kind)] for kind in CELL_KINDS}
        before = last = self.stem(x)
        for cell in self.cells:
            before, last = last, cell(before, last, *of_kind[CELL_KINDS[cell.reduction]])
        return self.classifier(self.flat(self.pool(last)))


def create_arch_parameters(net: HybridBlock, space: CellSpace, weighted_edges: bool = False) -> tuple[str, ...]:
    """Gives `net` its architecture parameters as attributes, drawn near zero.

    The names are Att-DARTS's, each for normal and reduction cells: alphas (first layers), betas (second layers),
    gammas (attention at the end); PC-DARTS's edge parameters are called edges.

    Args:
        net: the search network.
        space: its `CellSpace`.
        weighted_edges: each edge has a weight of its own (partial channels).

    Returns:
        The names, in the order in which `SearchCell` takes the weights.
    """
    shapes: dict[str, tuple[int, ...]] = {
        "alphas": (space.edges, len(space.first)),
        "betas": (space.edges, len(space.second)),
        "edges": (space.edges if weighted_edges else 0,),
        "gammas": (len(space.last),),
    }
    names = []
    for name, shape in shapes.items():
        for kind in CELL_KINDS if shape[-1] else ():
            names.append(f"{name}_{kind}")
            setattr(net, names[-1], arch_parameter(net, names[-1], shape))
    return tuple(names)


def arch_parameter(net: HybridBlock, name: str, shape: tuple[int, ...]) -> Parameter:
    """A new architecture parameter, initialized as the references do: normal, standard deviation 0.001.

    Args:
        net: the supernet that it belongs to.
        name: of the parameter.
        shape: of the parameter; the last axis indexes the candidates.
    """
    return net.params.get(name, shape=shape, init=mx.init.Normal(1e-3))
