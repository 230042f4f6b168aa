"""Selective kernels."""

from math import gcd
from typing import Any

from mxnet.gluon import nn

from ..nn import fast
from ..nn.channel_attention import branch_softmax, gated_sum
from ..nn.convolution import GroupedConv
from ..nn.float32_stats import InFloat32
from ..nn.tracing import Tensor
from ..utils.checks import positive, switch
from ..utils.errors import UserError
from .base import ATTENTIONS, Attention


@ATTENTIONS.register("sk", "SK", "SKConv")
class SK(InFloat32, Attention):
    """Selective kernel convolution, Li et al. 2019, https://arxiv.org/abs/1903.06586

    u_m = relu(BN(conv_m x)), 3x3 of dilation m in groups; z = relu(BN(W avg(u_1 + ... + u_M))); y = sum of a_m u_m, a_m
    = softmax over m of (A_m z), one number per channel; no biases.

    Place: instead of the 3x3 convolution with the norm and activation after it.

    The paper has the module in blocks of half the output's width, as ResNeXt; ResNet's have a quarter.

    Shape: N,C,H,W -> N,C,H,W; with a stride N,C,H/stride,W/stride, rounded up.

    Args:
        channels: C.
        branches: M (default 2, the paper's; a dilated 3x3 stands for its 5x5 kernel as there).
        groups: of the convolutions (default 32, the paper's; where it does not divide the channels their greatest
            common divisor is taken).
        reduction: C over the width of z (default 16, the paper's).
        narrowest: the least width of z (default 32, the paper's L).
        split: each branch takes its own part of the input's channels (default False, the paper's; timm's skresnet50 has
            it, with groups 1 and narrowest 8).
        stride: of the convolutions (default 1).
        in_channels: of the input (default None: C), for a `conv1` slot.
    """

    reference_key = "sk"

    slot = "conv"
    normed = True

    def __init__(
        self,
        channels: int,
        *,
        branches: int = 2,
        groups: int = 32,
        reduction: int = 16,
        narrowest: int = 32,
        split: bool = False,
        stride: int = 1,
        in_channels: int | None = None,
    ) -> None:
        super().__init__(channels)
        self._count = positive("branches", branches)
        stride = positive("stride", stride)
        hidden = max(channels // positive("reduction", reduction), positive("narrowest", narrowest))
        self._split = switch("split", split) and branches > 1
        given = channels if in_channels is None else positive("in_channels", in_channels)
        if self._split and given % branches:
            raise UserError(f"split needs channels that {branches} branches share evenly, got {given}")
        seen = given // branches if self._split else given
        groups = gcd(seen, channels, positive("groups", groups))
        with self.name_scope():
            self.branches = nn.HybridSequential(prefix="")
            for rate in range(1, branches + 1):
                branch = nn.HybridSequential(prefix="")
                branch.add(
                    GroupedConv(channels, 3, seen, groups=groups, stride=stride, dilation=rate),
                    nn.BatchNorm(in_channels=channels),
                    nn.Activation("relu"),
                )
                self.branches.add(branch)
            self.squeeze = nn.Conv2D(hidden, 1, use_bias=False, in_channels=channels)
            self.norm = nn.BatchNorm(in_channels=hidden)
            self.expand = nn.Conv2D(branches * channels, 1, use_bias=False, in_channels=hidden)

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H/stride,W/stride, rounded up."""
        parts = F.SliceChannel(x, num_outputs=self._count, axis=1) if self._split else [x] * self._count
        branches = [branch(part) for part, branch in zip(parts, self.branches._children.values(), strict=True)]
        pooled = F.add_n(*[fast.global_avg(F, u) for u in branches])
        logits = self.expand(F.relu(self.norm(self.squeeze(pooled))))
        gates = [self.narrow(F, gate) for gate in branch_softmax(F, self.widen(F, logits), self._count)]
        return gated_sum(F, branches, gates)
