"""Spatial Group-wise Enhance."""

import math

from ..nn import fast
from ..nn.precision import Wide
from ..utils.errors import UserError
from .base import ATTENTIONS, Attention, choice, positive


@ATTENTIONS.register("sge", "SGE", "SpatialGroupEnhance")
class SGE(Wide, Attention):
    """Spatial Group-wise Enhance, Li et al. 2019, https://arxiv.org/abs/1905.09646

    In each group of channels: s = sum_c x_c avg(x_c), avg over H and W; t = (s - avg(s)) / (std(s) + 1e-5);
    y = x * sigmoid(weight t + bias), one weight (0 at first) and one bias (1) a group; N,C,H,W -> N,C,H,W.
    Place: end of the residual branch, before the addition.

    channels: C. groups: number of groups, a divisor of C (default None: the paper's 64, or the greatest number that
    divides 64 and C). variant: "paper" (default) divides by the standard deviation over H*W pixels, "reference" by
    that over H*W - 1 as the authors' code and EAN do; where that one gives NaN, on 1x1 maps, t is 0 here.
    """

    def __init__(self, channels, *, groups=None, variant="paper"):
        super().__init__(channels)
        groups = math.gcd(64, self._channels) if groups is None else positive("groups", groups)
        if channels % groups:
            raise UserError(f"sge needs groups of one size: groups={groups} does not divide {channels} channels")
        self._unbiased = choice("variant", variant, ("paper", "reference")) == "reference"
        self._groups, self._members = groups, channels // groups
        with self.name_scope():
            self.weight = self.params.get("weight", shape=(1, groups, 1, 1), init="zeros")
            self.bias = self.params.get("bias", shape=(1, groups, 1, 1), init="ones")

    def hybrid_forward(self, F, x, weight, bias):
        members = F.reshape(x, shape=(-1, self._members, 0, 0))  # (N*groups,C/groups,H,W)
        wide, weight, bias = self.widen(F, members, weight, bias)
        t = F.reshape(self._standard(F, _similarity(F, wide)), shape=(-1, self._groups, 0, 0))
        gate = fast.sigmoid(F, F.broadcast_add(F.broadcast_mul(t, weight), bias))
        gate = self.narrow(F, F.reshape(gate, shape=(-1, 1, 0, 0)))
        return F.reshape_like(fast.spatial_gate(F, members, gate), x)

    def _standard(self, F, s):
        """(M,1,H,W) less its mean, over its standard deviation."""
        s = F.broadcast_sub(s, fast.global_avg(F, s))
        variance = fast.global_avg(F, F.square(s))
        if self._unbiased:
            pixels = F.sum(F.ones_like(F.slice_axis(s, axis=0, begin=0, end=1)), axis=(2, 3), keepdims=True)
            rest = pixels - 1
            variance = F.broadcast_mul(variance, pixels / F.broadcast_add(rest, rest == 0))
        # the slope of the root is infinite at 0, and 0 times it no number
        return F.broadcast_div(s, F.sqrt(variance + 1e-20) + 1e-5)


def _similarity(F, x):
    """Sum over the channels of each times its mean, (M,C,H,W) -> (M,1,H,W)."""
    mean = F.reshape(fast.global_avg(F, x), shape=(0, 1, -1))
    s = F.batch_dot(mean, F.reshape(x, shape=(0, 0, -1)))
    return F.reshape_like(s, F.slice_axis(x, axis=1, begin=0, end=1))
