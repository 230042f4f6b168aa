"""External attention."""

from typing import Any

from mxnet import init
from mxnet.gluon import nn

from ..nn import fast
from ..nn.float32_stats import InFloat32
from ..nn.tracing import Tensor
from ..utils.checks import positive
from .base import ATTENTIONS, Attention, ConstantStart


@ATTENTIONS.register("external", "ExternalAttention", "external_attention")
class External(InFloat32, Attention):
    """External attention, Guo et al. 2021, https://arxiv.org/abs/2105.02358

    A = M_k x at every pixel, `memory` numbers each; a softmax of A over all pixels, then divided by its sum over the
    `memory` numbers; y = x + M_v A; M_k and M_v 1x1 convolutions without biases, initially normal with deviation 0.001
    as in the authors' code.

    Place: after a stage (in the paper's network the last).

    The paper's formula is M_v A; its network adds x, and has 1x1 convolutions before and after that are left out here.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        memory: S, the units of the two memories (default 64, the paper's).
    """

    slot = "stage"

    def __init__(self, channels: int, *, memory: int = 64) -> None:
        super().__init__(channels)
        self._memory = positive("memory", memory)
        small = {"use_bias": False, "weight_initializer": init.Normal(0.001)}
        with self.name_scope():
            self.key = nn.Conv2D(memory, 1, in_channels=channels, **small)
            self.value = nn.Conv2D(channels, 1, in_channels=memory, **small)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(1, (self.value,))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        logits = self.key(x)
        weights = fast.softmax(F, self.widen(F, F.reshape(logits, shape=(0, 0, -1))))
        weights = F.reshape_like(weights, logits)
        total = fast.channel_mean(F, weights) * self._memory
        return x + self.value(self.narrow(F, fast.spatial_scale(F, weights, 1 / (total + 1e-9))))
