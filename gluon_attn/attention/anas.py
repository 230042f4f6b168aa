"""Attention cells found by search."""

from typing import Any

from mxnet.gluon import nn

from ..genotypes.attention import attention_genotype
from ..nn import fast
from ..nn.cell_ops import cell_op
from ..nn.layers import DropPath
from ..nn.tracing import Tensor
from ..utils.checks import rate
from .base import ATTENTIONS, Attention


@ATTENTIONS.register("anas", "ANAS")
class ANAS(Attention):
    """Attention cell of a search, Attention Neural Architecture Search 2019,
    https://github.com/DangChuong-DC/Attention-Neural-Architecture-Search

    s_0 = s_1 = x; s_i = f(s_j) + g(s_k) for the nodes i = 2, 3, ... with j, k < i; y = x * sigmoid(sum of the nodes);
    f and g operations of `genotype`, each N,C,H,W -> N,C,H,W: none, skip_connect, relu_conv_bn_1x1, sep_conv_3x3,
    dil_conv_3x3, avg_pool_3x3, max_pool_3x3, spatial_score (a 1x1 convolution of maximum and mean over the channels)
    and channel_score (a dense layer of mean and maximum over the pixels).

    Place: end of the residual branch, before the addition.

    The paper is not on the web; the reference code defines the module.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        genotype: "ATTENTION" (default: the published cell, of three nodes), a mapping {"att": [[operation, input],
            ...]} with two edges per node, AttGenotype(...) as text, or a file that holds one.
        drop_path: probability that training drops a path other than a skip connection (default 0: the reference code
            never uses it).
    """

    reference_key = "anas"

    def __init__(self, channels: int, *, genotype: Any = "ATTENTION", drop_path: float = 0.0) -> None:
        super().__init__(channels)
        rate("drop_path", drop_path)
        self._genotype = attention_genotype(genotype)
        with self.name_scope():
            self.ops = nn.HybridSequential(prefix="")
            self.drop = nn.HybridSequential(prefix="")
            for name, _ in self._genotype.att:
                self.ops.add(cell_op(name, self._channels))
                self.drop.add(DropPath(drop_path) if name != "skip_connect" else nn.HybridSequential())

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        states = [x, x]
        for node in range(self._genotype.nodes):
            first, second = (self._edge(states, edge) for edge in (2 * node, 2 * node + 1))
            states.append(first + second)
        return fast.logistic_gate(F, x, F.add_n(*states[2:]))

    def _edge(self, states: list[Tensor], edge: int) -> Tensor:
        return self.drop[edge](self.ops[edge](states[self._genotype.att[edge][1]]))
