"""Style-based recalibration."""

from typing import Any

from mxnet.gluon import nn

from ..nn import fast
from ..nn.float32_stats import InFloat32, centered
from ..nn.tracing import Tensor
from .base import ATTENTIONS, Attention, ConstantStart


@ATTENTIONS.register("srm", "SRM")
class SRM(InFloat32, Attention):
    """Style-based Recalibration Module, Lee et al. 2019, https://arxiv.org/abs/1903.10829

    t = (mean, standard deviation) of each channel; y = x * sigmoid(BN(w . t)), w two weights per channel without bias.

    Place: end of the residual branch, before the addition.

    The deviation is the paper's, a root of the mean of squares, with 1e-5 under the root, against infinite gradients;
    popular copies divide by H W - 1. It is taken in float32.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        with self.name_scope():
            self.conv = nn.Conv1D(channels, 2, groups=channels, use_bias=False, in_channels=channels)
            self.norm = nn.BatchNorm(in_channels=channels)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(0.5, (self.norm,))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        mean, rest = centered(F, self.widen(F, x))
        deviation = F.sqrt(fast.global_avg(F, F.square(rest)) + 1e-5)
        style = [F.reshape(self.narrow(F, part), shape=(0, -1)) for part in (mean, deviation)]
        logits = self.norm(F.expand_dims(self.conv(F.stack(*style, axis=2)), axis=3))
        return fast.channel_gate(F, x, fast.sigmoid(F, logits))
