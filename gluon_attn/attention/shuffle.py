"""Shuffle attention."""

from typing import Any

from ..nn import fast
from ..nn.float32_stats import InFloat32, centered
from ..nn.tracing import Tensor
from ..utils.checks import positive
from ..utils.errors import UserError
from .base import ATTENTIONS, Attention


@ATTENTIONS.register("shuffle", "ShuffleAttention", "SA")
class Shuffle(InFloat32, Attention):
    """Shuffle attention of SA-Net, Zhang and Yang 2021, https://arxiv.org/abs/2102.00039

    Each of G groups of channels is cut in two halves of C / 2G channels: y1 = x1 * sigmoid(w1 avg(x1) + b1), y2 = x2 *
    sigmoid(w2 GN(x2) + b2), GN the normalization of each channel alone with scale and shift; then the channels, put
    together again, are shuffled: channel c of the one half of C goes to 2c, of the other to 2c + 1. The weights are
    vectors of C / 2G, the same for all groups.

    Place: end of the residual branch, before the addition.

    w1 and w2 start at 0, b1 and b2 at 1. Statistics are taken in float32, variances with 1e-5 added.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C, a multiple of 2 G.
        groups: G (default 8, the usual copies', which fits narrow networks; the paper takes 64 for ResNet-50).
    """

    def __init__(self, channels: int, *, groups: int = 8) -> None:
        super().__init__(channels)
        self._groups = positive("groups", groups)
        if channels % (2 * groups):
            raise UserError(f"shuffle needs channels that 2 * groups divides, got {channels} channels, {groups} groups")
        self._half = channels // (2 * groups)
        with self.name_scope():
            for name, init in (("w1", "zeros"), ("b1", "ones"), ("w2", "zeros"), ("b2", "ones")):
                setattr(self, name, self.params.get(name, shape=(1, 1, self._half, 1), init=init))
            self.gamma = self.params.get("gamma", shape=(1, 1, self._half, 1), init="ones")
            self.beta = self.params.get("beta", shape=(1, 1, self._half, 1), init="zeros")

    def hybrid_forward(
        self, F: Any, x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor, gamma: Tensor, beta: Tensor
    ) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        if fast.compiled():
            w1, b1 = F.identity(w1), F.identity(b1)  # compiled operators cannot add to a gradient
            return F.gluon_attn_shuffle(x, w1, b1, w2 * gamma, w2 * beta + b2)
        # the logits of each channel are scale * (x - mean) + shift, so both halves go through one gate
        mean, rest = centered(F, self.widen(F, x))
        inverse = (fast.global_avg(F, F.square(rest)) + 1e-5) ** -0.5
        means, inv_stds = (F.reshape(part, shape=(0, self._groups, 2 * self._half, 1)) for part in (mean, inverse))
        first = F.slice_axis(means, axis=2, begin=0, end=self._half)
        second = F.slice_axis(inv_stds, axis=2, begin=self._half, end=None)
        shift_1 = F.broadcast_add(F.broadcast_mul(first, self.widen(F, w1)), self.widen(F, b1))
        scale_2 = F.broadcast_mul(second, self.widen(F, w2 * gamma))
        shift_2 = F.broadcast_add(F.zeros_like(second), self.widen(F, w2 * beta + b2))
        scales = F.reshape(F.concat(F.zeros_like(first), scale_2, dim=2), shape=(0, -1, 1, 1))
        shifts = F.reshape(F.concat(shift_1, shift_2, dim=2), shape=(0, -1, 1, 1))
        logits = fast.channel_shift(F, fast.channel_scale(F, rest, scales), shifts)
        y = fast.logistic_gate(F, x, self.narrow(F, logits))
        halves = F.reshape(y, shape=(0, 2, self._channels // 2, -1))
        # not F.transpose: oneDNN's fails on the gradient, which comes in a layout of its own and is reshaped before
        return F.reshape_like(F.SwapAxis(halves, dim1=1, dim2=2), x)
