"""One searched cell: what a genotype's names stand for, and the block that strings them.

Liu et al. 2019, https://arxiv.org/abs/1806.09055; Att-DARTS, https://github.com/chomin/Att-DARTS.
"""

from mxnet.gluon import HybridBlock, nn

from ..attention.factory import ATTENTIONS, attention_options, get_attention
from ..nn.cell_convs import FactorizedReduce, ReLUConvBN, concat_channels
from ..nn.cell_ops import CELL_OPS, Skip, cell_op
from ..nn.layers import DropPath

#: attention -> its options in Att-DARTS, whose counts and scores are the published ones
OPTIONS = {"SE": {"bias": False}, "BAM": {"variant": "reference"}}


def attention_layer(name, channels, size):
    """A cell's attention for maps of `size` pixels height and width, by any of its names."""
    options = dict(OPTIONS.get(name, {}))
    if "spatial" in attention_options(name):
        options["spatial"] = size
    return get_attention(name, channels, **options)


def second_layer(name, channels, size):
    """What follows an edge's first layer: an operation or an attention."""
    return cell_op(name, channels) if name in CELL_OPS else attention_layer(name, channels, size)


def first_layer(name, channels, stride, size, reduction):
    """An edge's operation; an attention in a reduction cell has a skip before it that may halve the maps."""
    if name in CELL_OPS:
        return cell_op(name, channels, stride=stride)
    if not reduction:
        return attention_layer(name, channels, size)
    both = nn.HybridSequential(prefix="")
    both.add(cell_op("skip_connect", channels, stride=stride, affine=False), attention_layer(name, channels, size))
    return both


def preprocessed(in_channels, channels, halve, affine=True):
    """What brings a cell's input to its width, and to half its size if `halve`."""
    make = FactorizedReduce if halve else ReLUConvBN
    return make(in_channels, channels, affine=affine)


class Cell(HybridBlock):
    """A searched cell: (N,before,..), (N,last,..) -> N,len(concat) channels,H,W.

    edges: a `CellEdges`. before, last: channels of the outputs of the two cells before. channels: of each node. size:
    H of the output. reduction: it halves the maps. halve: the cell before did, so the first input is twice as large.
    Paths are dropped where neither layer of an edge is the identity.
    """

    reference_key = "cell"

    def __init__(self, edges, before, last, channels, size, *, reduction=False, halve=False):
        super().__init__()
        self._edges, self.channels = edges, channels * len(edges.concat)
        with self.name_scope():
            self.preprocess0 = preprocessed(before, channels, halve)
            self.preprocess1 = preprocessed(last, channels, False)
            self.first, self.second, self.drop = (nn.HybridSequential(prefix="") for _ in range(3))
            for name, source, attention in edges.edges:
                stride = 2 if reduction and source < 2 else 1
                layers = [first_layer(name, channels, stride, size, reduction)]
                self.first.add(layers[0])
                if attention:
                    layers.append(second_layer(attention, channels, size))
                    self.second.add(layers[1])
                self.drop.add(nn.HybridSequential() if any(map(is_identity, layers)) else DropPath())
            self.bottleneck = attention_layer(edges.bottleneck, self.channels, size) if edges.bottleneck else None

    def hybrid_forward(self, F, before, last):
        states = [self.preprocess0(before), self.preprocess1(last)]
        for node in range(self._edges.nodes):
            first, second = (self._edge(states, edge) for edge in (2 * node, 2 * node + 1))
            states.append(first + second)
        y = concat_channels(F, [states[i] for i in self._edges.concat], self.channels)
        return self.bottleneck(y) if self.bottleneck else y

    def _edge(self, states, edge):
        x = self.first[edge](states[self._edges.edges[edge][1]])
        return self.drop[edge](self.second[edge](x) if len(self.second) else x)


def is_identity(layer):
    """Whether it gives its input, so that dropping its path would drop a shortcut."""
    return isinstance(layer, (Skip, ATTENTIONS.get("identity")))
