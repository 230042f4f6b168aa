"""Squeeze-and-Excitation."""

from typing import Any

from ..nn import fast
from ..nn.channel_attention import hidden_channels, pointwise_mlp
from ..nn.tracing import Tensor
from ..utils.checks import positive, switch
from .base import ATTENTIONS, Attention, ConstantStart


@ATTENTIONS.register("se", "SE", "SELayer")
class SE(Attention):
    """Squeeze-and-Excitation, Hu et al. 2018, https://arxiv.org/abs/1709.01507

    y = x * sigmoid(W2 relu(W1 avg(x))), the average over H and W.

    Place: end of the residual branch, before the addition.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the hidden width (default 16, the paper's).
        narrowest: the least hidden width (default 1; timm's networks have 8).
        bias: both layers have biases (default True, as in the authors' networks; Att-DARTS, ANAS and the ECA
            reproduction leave them out).
    """

    reference_key = "se"

    def __init__(self, channels: int, *, reduction: int = 16, narrowest: int = 1, bias: bool = True) -> None:
        super().__init__(channels)
        hidden = hidden_channels(channels, positive("reduction", reduction), positive("narrowest", narrowest))
        with self.name_scope():
            self.mlp = pointwise_mlp(channels, hidden, bias=switch("bias", bias))

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(0.5, (self.mlp[-1],))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        return fast.channel_gate(F, x, fast.sigmoid(F, self.mlp(fast.global_avg(F, x))))
