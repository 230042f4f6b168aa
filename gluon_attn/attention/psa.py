"""Pyramid squeeze attention."""

from collections.abc import Sequence
from math import gcd
from typing import Any

from mxnet.gluon import nn

from ..nn import fast
from ..nn.channel_attention import branch_softmax, hidden_channels, pointwise_mlp
from ..nn.convolution import GroupedConv
from ..nn.float32_stats import InFloat32
from ..nn.tracing import Tensor
from ..utils.checks import odd, positive, positives
from ..utils.errors import UserError
from .base import ATTENTIONS, Attention

#: number of parts
PARTS = 4


@ATTENTIONS.register("psa", "PSA", "EPSA", "PSAModule")
class PSA(InFloat32, Attention):
    """Pyramid squeeze attention of EPSANet, Zhang et al. 2021, https://arxiv.org/abs/2105.14447

    u_i = conv_i x, C / 4 channels each, in groups, no biases; y = concat of a_i u_i, a_i
    = softmax over i of sigmoid(W2 relu(W1 avg(u_i))), one SE for all four.

    Place: instead of the 3x3 convolution.

    The authors' code joins the four parts in reverse order, here they keep the paper's.

    Shape: N,C,H,W -> N,C,H,W; with a stride N,C,H/stride,W/stride, rounded up.

    Args:
        channels: C, a multiple of 4; where C / 4 is no multiple of the groups their greatest common divisor is taken.
        kernels: sizes of the four kernels, odd (default [3, 5, 7, 9], the paper's).
        groups: of the four convolutions (default [1, 4, 8, 16], the paper's; its large networks have 32 in each).
        reduction: C / 4 over the hidden width (default 16, the authors'; W1 and W2 have biases as there).
        stride: of the convolutions (default 1).
    """

    reference_key = "psa"

    slot = "conv"

    def __init__(
        self,
        channels: int,
        *,
        kernels: Sequence[int] = (3, 5, 7, 9),
        groups: Sequence[int] = (1, 4, 8, 16),
        reduction: int = 16,
        stride: int = 1,
    ) -> None:
        super().__init__(channels)
        if channels % PARTS:
            raise UserError(f"psa needs a multiple of {PARTS} channels, got {channels}")
        kernels, groups = (
            positives(name, given, PARTS, "part") for name, given in (("kernels", kernels), ("groups", groups))
        )
        part, stride = channels // PARTS, positive("stride", stride)
        hidden = hidden_channels(part, positive("reduction", reduction))
        with self.name_scope():
            self.pyramid = nn.HybridSequential(prefix="")
            for size, count in zip(kernels, groups, strict=True):
                self.pyramid.add(
                    GroupedConv(part, odd("kernels", size), channels, groups=gcd(part, count), stride=stride)
                )
            self.mlp = pointwise_mlp(part, hidden)

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H/stride,W/stride, rounded up."""
        parts = [conv(x) for conv in self.pyramid._children.values()]
        gates = [fast.sigmoid(F, self.mlp(fast.global_avg(F, u))) for u in parts]
        logits = self.widen(F, F.concat(*gates, dim=1))
        gate = self.narrow(F, F.concat(*branch_softmax(F, logits, len(parts)), dim=1))
        return fast.channel_gate(F, F.concat(*parts, dim=1), gate)
