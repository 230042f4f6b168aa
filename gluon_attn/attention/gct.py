"""Gated Channel Transformation."""

from typing import Any

from ..nn import fast
from ..nn.float32_stats import InFloat32
from ..nn.tracing import Tensor
from .base import ATTENTIONS, Attention, ConstantStart


@ATTENTIONS.register("gct", "GCT")
class GCT(InFloat32, Attention):
    """Gated Channel Transformation, Yang et al. 2020, https://arxiv.org/abs/1909.11519

    s = alpha * sqrt(sum of x^2 over H and W + e); n = s * sqrt(C) / sqrt(sum over the channels of s^2 + e); y = x * (1
    + tanh(gamma * n + beta)), e = 1e-5.

    Place: in the paper before each convolution, here end of the residual branch, before the addition.

    alpha, gamma and beta, one number per channel each, start at 1, 0 and 0, so the block starts as y = x. Both norms
    are the paper's l2, taken in float32.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        with self.name_scope():
            self.alpha = self.params.get("alpha", shape=(1, channels, 1, 1), init="ones")
            self.gamma = self.params.get("gamma", shape=(1, channels, 1, 1), init="zeros")
            self.beta = self.params.get("beta", shape=(1, channels, 1, 1), init="zeros")

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(1, (self.gamma, self.beta))

    def hybrid_forward(self, F: Any, x: Tensor, alpha: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        size = F.broadcast_mul(self.l2_norm(F, x, 1e-5), self.widen(F, alpha))
        # the mean over the channels in place of the sum takes sqrt(C) with it
        spread = F.sqrt(F.mean(F.square(size), axis=1, keepdims=True) + 1e-5 / self._channels)
        logits = F.broadcast_mul(self.narrow(F, F.broadcast_div(size, spread)), gamma)
        return fast.channel_gate(F, x, F.tanh(F.broadcast_add(logits, beta)) + 1)
