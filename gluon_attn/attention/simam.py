"""SimAM, the attention without parameters."""

from ..nn import fast
from ..nn.float32_stats import InFloat32, area, centered
from ..utils.checks import above
from .base import ATTENTIONS, Attention


@ATTENTIONS.register("simam", "SimAM")
class SimAM(InFloat32, Attention):
    """Simple, parameter-free attention, Yang et al. 2021, https://proceedings.mlr.press/v139/yang21o.html

    d = (x - mean(x))^2 and v = sum(d) / (H W - 1) over each map; y = x * sigmoid(d / (4 (v + lambda)) + 1/2);
    N,C,H,W -> N,C,H,W; no weights. Place: end of the residual branch, before the addition (the authors put it
    behind the 3x3 convolution of a bottleneck).

    channels: C. e_lambda: the lambda of the formula (default 1e-4, the authors' module; their ImageNet runs take
    0.1). Mean and variance are taken in float32. A map of one pixel, where the authors' code divides by zero, has
    d = v = 0 and the gate sigmoid(1/2).
    """

    def __init__(self, channels, *, e_lambda=1e-4):
        super().__init__(channels)
        self._lambda = float(above("e_lambda", e_lambda))

    def hybrid_forward(self, F, x):
        wide = self.widen(F, x)
        _, rest = centered(F, wide)
        squares, count = F.square(rest), area(F, wide)
        freedom = F.broadcast_div(count, F.clip(count - 1, 1, 1e30))
        variance = F.broadcast_mul(fast.global_avg(F, squares), freedom)
        energy = fast.channel_gate(F, squares, 0.25 / (variance + self._lambda))
        return x * self.narrow(F, fast.sigmoid(F, energy + 0.5))
