"""Attention cells found by search."""

from mxnet.gluon import nn

from ..genotypes.attention import attention_genotype
from ..nn import fast
from ..nn.cell_ops import cell_op
from ..nn.layers import DropPath
from ..utils.checks import rate
from .base import ATTENTIONS, Attention


@ATTENTIONS.register("anas", "ANAS")
class ANAS(Attention):
    """Attention cell of a search, Attention Neural Architecture Search 2019,
    https://github.com/DangChuong-DC/Attention-Neural-Architecture-Search

    s_0 = s_1 = x; s_i = f(s_j) + g(s_k) for the nodes i = 2, 3, ... with j, k < i; y = x * sigmoid(sum of the
    nodes); f and g operations of `genotype`, each N,C,H,W -> N,C,H,W: none, skip_connect, relu_conv_bn_1x1,
    sep_conv_3x3, dil_conv_3x3, avg_pool_3x3, max_pool_3x3, spatial_score (a 1x1 convolution of maximum and mean over
    the channels) and channel_score (a dense layer of mean and maximum over the pixels); N,C,H,W -> N,C,H,W.
    Place: end of the residual branch, before the addition.

    channels: C. genotype: "ATTENTION" (default: the published cell, of three nodes), a mapping
    {"att": [[operation, input], ...]} with two edges a node, or a JSON file that holds one. drop_path:
    share of the paths, but for skips, that training leaves out (default 0: in the code it never acts). The search's
    paper is not on the web; the code above defines it.
    """

    reference_key = "anas"

    def __init__(self, channels, *, genotype="ATTENTION", drop_path=0.0):
        super().__init__(channels)
        rate("drop_path", drop_path)
        self._genotype = attention_genotype(genotype)
        with self.name_scope():
            self.ops = nn.HybridSequential(prefix="")
            self.drop = nn.HybridSequential(prefix="")
            for name, _ in self._genotype.att:
                self.ops.add(cell_op(name, self._channels))
                self.drop.add(DropPath(drop_path) if name != "skip_connect" else nn.HybridSequential())

    def hybrid_forward(self, F, x):
        states = [x, x]
        for node in range(self._genotype.nodes):
            first, second = (self._edge(states, edge) for edge in (2 * node, 2 * node + 1))
            states.append(first + second)
        return fast.logistic_gate(F, x, F.add_n(*states[2:]))

    def _edge(self, states, edge):
        return self.drop[edge](self.ops[edge](states[self._genotype.att[edge][1]]))
