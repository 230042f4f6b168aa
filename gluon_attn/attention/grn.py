"""Global Response Normalization."""

from typing import Any

from ..nn import fast
from ..nn.float32_stats import InFloat32
from ..nn.tracing import Tensor
from .base import ATTENTIONS, Attention, ConstantStart


@ATTENTIONS.register("grn", "GRN")
class GRN(InFloat32, Attention):
    """Global Response Normalization of ConvNeXt V2, Woo et al. 2023, https://arxiv.org/abs/2301.00808

    g = sqrt(sum of x^2 over H and W); y = x + gamma * (x * g / (mean over the channels of g + 1e-6)) + beta.

    Place: end of the residual branch, before the addition (in ConvNeXt V2 after the activation of the expanded
    channels).

    gamma and beta, one number per channel each, start at zero, so the layer starts as y = x. The norm is taken in
    float32, with 1e-12 under the root, so that a feature map of zeros has gradient 0.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        with self.name_scope():
            self.gamma = self.params.get("gamma", shape=(1, channels, 1, 1), init="zeros")
            self.beta = self.params.get("beta", shape=(1, channels, 1, 1), init="zeros")

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(1, (self.gamma, self.beta))

    def hybrid_forward(self, F: Any, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        size = self.l2_norm(F, x, 1e-12)
        ratio = self.narrow(F, F.broadcast_div(size, F.mean(size, axis=1, keepdims=True) + 1e-6))
        y = fast.channel_gate(F, x, F.broadcast_mul(ratio, gamma) + 1)
        return fast.channel_shift(F, y, F.broadcast_add(F.zeros_like(ratio), beta))
