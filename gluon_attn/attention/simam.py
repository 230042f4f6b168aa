"""SimAM, the attention without parameters."""

from typing import Any

from ..nn import fast
from ..nn.float32_stats import InFloat32, area, centered
from ..nn.tracing import Tensor
from ..utils.checks import above
from .base import ATTENTIONS, Attention


@ATTENTIONS.register("simam", "SimAM")
class SimAM(InFloat32, Attention):
    """Simple, parameter-free attention, Yang et al. 2021, https://proceedings.mlr.press/v139/yang21o.html

    d = (x - mean(x))^2 and v = sum(d) / (H W - 1) over H and W; y = x * sigmoid(d / (4 (v + lambda)) + 1/2); no
    weights.

    Place: end of the residual branch, before the addition (the authors put it after the 3x3 convolution of a
    bottleneck).

    Mean and variance are taken in float32. For a feature map of one pixel, where the authors' code divides by zero, d =
    v = 0 and the gate is sigmoid(1/2).

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        e_lambda: the lambda of the formula (default 1e-4, the authors' module; their ImageNet runs take 0.1).
    """

    def __init__(self, channels: int, *, e_lambda: float = 1e-4) -> None:
        super().__init__(channels)
        self._lambda = float(above("e_lambda", e_lambda))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        if fast.compiled():
            return F.gluon_attn_simam(x, e_lambda=self._lambda)
        wide = self.widen(F, x)
        _, rest = centered(F, wide)
        squares, count = F.square(rest), area(F, wide)
        freedom = F.broadcast_div(count, F.clip(count - 1, 1, 1e30))
        variance = F.broadcast_mul(fast.global_avg(F, squares), freedom)
        energy = fast.channel_scale(F, squares, 0.25 / (variance + self._lambda))
        return fast.element_gate(F, x, self.narrow(F, fast.sigmoid(F, energy + 0.5)))
