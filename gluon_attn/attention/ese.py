"""Effective Squeeze-and-Excitation."""

from typing import Any

from mxnet.gluon import nn

from ..nn import fast
from ..nn.tracing import Tensor
from ..utils.checks import switch
from .base import ATTENTIONS, Attention, ConstantStart


@ATTENTIONS.register("ese", "eSE")
class ESE(Attention):
    """Effective Squeeze-and-Excitation of VoVNet v2, Lee and Park 2020, https://arxiv.org/abs/1911.06667

    y = x * hs(W avg(x) + b), the average over H and W, hs(z) = min(max(z + 3, 0), 6) / 6; one layer of C to C, so that
    no bottleneck loses channels.

    Place: end of the residual branch, before the addition (in VoVNet end of the one-shot aggregation block).

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        hard: the gate hs (default True, the authors' code and timm); False takes the sigmoid that the paper's text
            names.
    """

    reference_key = "ese"

    def __init__(self, channels: int, *, hard: bool = True) -> None:
        super().__init__(channels)
        self._hard = switch("hard", hard)
        with self.name_scope():
            self.conv = nn.Conv2D(channels, 1, in_channels=channels)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(0.5, (self.conv,))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        logits = self.conv(fast.global_avg(F, x))
        gate = fast.hard_sigmoid(F, logits) if self._hard else fast.sigmoid(F, logits)
        return fast.channel_gate(F, x, gate)
