"""Non-local block."""

from typing import Any

from mxnet.gluon import nn

from ..nn.channel_attention import hidden_channels
from ..nn.float32_stats import InFloat32, area
from ..nn.self_attention import attend
from ..nn.tracing import Tensor
from ..utils.checks import choice, positive
from .base import ATTENTIONS, Attention, ConstantStart


@ATTENTIONS.register("nonlocal", "NonLocal", "non_local")
class NonLocal(InFloat32, Attention):
    """Non-local block, Wang et al. 2017, https://arxiv.org/abs/1711.07971

    y = x + BN(W sum_p' f(x_p, x_p') g_p'), g a 1x1 convolution to C / reduction channels, W one back to C, both with
    biases, the sum over all pixels p'; BN's scale starts at 0, so the block starts as y = x.

    Place: after a stage (the paper: between blocks, mainly after the third and the fourth stage).

    The products are not scaled, and g and k are not pooled.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the inner width (default 2, the paper's; timm has 8).
        mode: "embedded" (default, as in most of the paper's tables): f = softmax_p'(q_p . k_p'), q and k 1x1
            convolutions to C / reduction channels with biases; "gaussian": f = softmax_p'(x_p . x_p'); "dot":
            f = q_p . k_p' / HW.
    """

    slot = "stage"

    def __init__(self, channels: int, *, reduction: int = 2, mode: str = "embedded") -> None:
        super().__init__(channels)
        hidden = hidden_channels(channels, positive("reduction", reduction))
        self._mode = choice("mode", mode, ("gaussian", "embedded", "dot"))
        with self.name_scope():
            if mode != "gaussian":
                self.query = nn.Conv2D(hidden, 1, in_channels=channels)
                self.key = nn.Conv2D(hidden, 1, in_channels=channels)
            self.value = nn.Conv2D(hidden, 1, in_channels=channels)
            self.expand = nn.Conv2D(channels, 1, in_channels=hidden)
            self.norm = nn.BatchNorm(in_channels=channels, gamma_initializer="zeros")

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(1, (self.norm,))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        value_map = self.value(x)
        pair = (x, x) if self._mode == "gaussian" else (self.query(x), self.key(x))
        query, key, value = (self.widen(F, F.reshape(part, shape=(0, 0, -1))) for part in (*pair, value_map))
        if self._mode == "dot":
            # v (k^T q) is (v k^T) q, which needs no matrix of all pairs
            pairs = F.batch_dot(value, key, transpose_b=True)
            pixels = F.reshape(area(F, self.widen(F, x)), shape=(1, 1, 1))
            y = F.batch_dot(F.broadcast_div(pairs, pixels), query)
        else:
            y = attend(F, F.batch_dot(query, key, transpose_a=True), value)
        return x + self.norm(self.expand(F.reshape_like(self.narrow(F, y), value_map)))
