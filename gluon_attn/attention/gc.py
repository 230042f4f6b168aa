"""Global context blocks of GCNet, scaling and adding."""

from typing import Any

from mxnet.gluon import nn

from ..nn import fast
from ..nn.channel_attention import hidden_channels
from ..nn.float32_stats import InFloat32
from ..nn.norm import ChannelNorm
from ..nn.tracing import Tensor
from ..utils.checks import positive, rate
from .base import ATTENTIONS, Attention, ConstantStart


class GlobalContext(InFloat32, Attention):
    """What both forms share: W2 relu(LN(W1 sum_p(a_p x_p))) as (N,C,1,1).

    Args:
        channels: C.
        reduction: C over the width of W1's output.
        epsilon: of the layer norm.
        last: name of the initializer of W2; None for that of the network.
    """

    def __init__(self, channels: int, *, reduction: int, epsilon: float, last: str | None) -> None:
        super().__init__(channels)
        hidden = hidden_channels(channels, positive("reduction", reduction))
        with self.name_scope():
            self.key = nn.Conv2D(1, 1, use_bias=False, in_channels=channels)
            self.squeeze = nn.Conv2D(hidden, 1, in_channels=channels)
            self.norm = ChannelNorm(hidden, epsilon=rate("epsilon", epsilon))
            self.expand = nn.Conv2D(channels, 1, in_channels=hidden, weight_initializer=last)

    def transformed(self, F: Any, x: Tensor) -> Tensor:
        """The transformed context.

        Args:
            F: `mx.nd` or `mx.sym`.
            x: (N,C,H,W).

        Returns:
            (N,C,1,1).
        """
        weights = fast.softmax(F, self.widen(F, F.reshape(self.key(x), shape=(0, 0, -1))))
        context = fast.weighted_pool(F, x, self.narrow(F, weights))
        return self.expand(F.relu(self.norm(self.squeeze(context))))


@ATTENTIONS.register("gc", "GC")
class GC(GlobalContext):
    """Global context as a gate, Cao et al. 2019, https://arxiv.org/abs/1904.11492

    a = softmax over the positions of (k x); c = sum_p a_p x_p; y = x * sigmoid(W2 relu(LN(W1 c))), k, W1, W2 1x1
    convolutions, LN over the hidden channels.

    Place: end of the residual branch, before the addition.

    The paper adds (`gca`) and lists the gate as its ablation "scale". k has no bias: the softmax would cancel it.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the hidden width (default 8, timm's gcresnet; the paper tries 4 to 32).
        epsilon: in LN (default 1e-5, the authors' code; timm's 1e-6).
    """

    reference_key = "gc"

    def __init__(self, channels: int, *, reduction: int = 8, epsilon: float = 1e-5) -> None:
        super().__init__(channels, reduction=reduction, epsilon=epsilon, last=None)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(0.5, (self.expand,))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        return fast.channel_gate(F, x, fast.sigmoid(F, self.transformed(F, x)))


@ATTENTIONS.register("gca", "GCA")
class GCA(GlobalContext):
    """Global context added, the block of GCNet, Cao et al. 2019, https://arxiv.org/abs/1904.11492

    a = softmax over the positions of (k x); c = sum_p a_p x_p; y = x + W2 relu(LN(W1 c)), k, W1, W2 1x1 convolutions,
    LN over the hidden channels.

    Place: end of the residual branch, before the addition.

    W2 starts at zero as in the authors' code, so the block starts as y = x. k has no bias: the softmax would cancel it.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the hidden width (default 8, timm's; the paper tries 4 to 32).
        epsilon: in LN (default 1e-5, the authors' code; timm's 1e-6).
    """

    reference_key = "gca"

    def __init__(self, channels: int, *, reduction: int = 8, epsilon: float = 1e-5) -> None:
        super().__init__(channels, reduction=reduction, epsilon=epsilon, last="zeros")

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(1, (self.expand,))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        return fast.channel_shift(F, x, self.transformed(F, x))
