"""Spatial Group-wise Enhance."""

import math
from typing import Any

from ..nn import fast
from ..nn.float32_stats import InFloat32
from ..nn.tracing import Tensor
from ..utils.checks import choice, positive
from ..utils.errors import UserError
from .base import ATTENTIONS, Attention, ConstantStart


@ATTENTIONS.register("sge", "SGE", "SpatialGroupEnhance")
class SGE(InFloat32, Attention):
    """Spatial Group-wise Enhance, Li et al. 2019, https://arxiv.org/abs/1905.09646

    In each group of channels: s = sum_c x_c avg(x_c), avg over H and W; t = (s - avg(s)) / (std(s) + 1e-5); y = x *
    sigmoid(weight t + bias), one weight (initially 0) and one bias (initially 1) per group.

    Place: end of the residual branch, before the addition.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        groups: number of groups, a divisor of C (default None: the paper's 64, or the greatest number that divides 64
            and C).
        variant: "paper" (default) divides by the standard deviation over H*W pixels, "reference" by that over H*W - 1
            as the authors' code and EAN do; where that one gives NaN, on 1x1 feature maps, t is 0 here.
    """

    def __init__(self, channels: int, *, groups: int | None = None, variant: str = "paper") -> None:
        super().__init__(channels)
        groups = math.gcd(64, self._channels) if groups is None else positive("groups", groups)
        if channels % groups:
            raise UserError(f"sge needs groups of one size: groups={groups} does not divide {channels} channels")
        self._unbiased = choice("variant", variant, ("paper", "reference")) == "reference"
        self._groups, self._members = groups, channels // groups
        with self.name_scope():
            self.weight = self.params.get("weight", shape=(1, groups, 1, 1), init="zeros")
            self.bias = self.params.get("bias", shape=(1, groups, 1, 1), init="ones")

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(0.5, (self.weight, self.bias))

    def hybrid_forward(self, F: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        if fast.compiled():
            weight, bias = F.identity(weight), F.identity(bias)  # compiled operators cannot add to a gradient
            return F.gluon_attn_sge(x, weight, bias, groups=self._groups, unbiased=int(self._unbiased))
        wide, weight, bias = (self.widen(F, array) for array in (x, weight, bias))
        members = F.reshape(wide, shape=(-1, self._members, 0, 0))  # (N*groups,C/groups,H,W)
        mean = F.reshape(fast.global_avg(F, wide), shape=(-1, 1, self._members))
        s = F.batch_dot(mean, F.reshape(members, shape=(0, 0, -1)))  # (N*groups,1,HW)
        s = F.reshape_like(s, F.slice_axis(members, axis=1, begin=0, end=1))
        logits = self._standard(F, F.reshape(s, shape=(-1, self._groups, 0, 0)), weight, bias)
        gate = self.narrow(F, F.reshape(fast.sigmoid(F, logits), shape=(-1, 1, 0, 0)))
        return F.reshape_like(fast.spatial_gate(F, F.reshape(x, shape=(-1, self._members, 0, 0)), gate), x)

    def _standard(self, F: Any, s: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """weight (s - its mean) / its standard deviation + bias, for s of N,groups,H,W."""
        ones = F.ones_like(s)
        s = s - fast.channel_scale(F, ones, fast.global_avg(F, s))
        variance = fast.global_avg(F, F.square(s))
        if self._unbiased:
            pixels = F.sum(F.slice_axis(F.slice_axis(ones, axis=0, begin=0, end=1), axis=1, begin=0, end=1))
            rest = pixels - 1
            variance = F.broadcast_mul(variance, F.reshape(pixels / (rest + (rest == 0)), shape=(1, 1, 1, 1)))
        # the gradient of the root is infinite at 0, and 0 times infinity is NaN
        scale = F.broadcast_div(weight, F.sqrt(variance + 1e-20) + 1e-5)
        shift = F.broadcast_add(F.zeros_like(scale), bias)
        return fast.channel_scale(F, s, scale) + fast.channel_scale(F, ones, shift)
