"""Convolutional Block Attention Module, and its light form."""

from collections.abc import Sequence
from typing import Any

from mxnet.gluon import nn

from ..nn import fast
from ..nn.channel_attention import hidden_channels, pointwise_mlp
from ..nn.convolution import GroupedConv
from ..nn.float32_stats import GlobalPools
from ..nn.tracing import Tensor
from ..utils.checks import odd, positive, some, switch
from .base import ATTENTIONS, Attention, ConstantStart


@ATTENTIONS.register("cbam", "CBAM")
class CBAM(GlobalPools, Attention):
    """Convolutional Block Attention Module, Woo et al. 2018, https://arxiv.org/abs/1807.06521

    z = x * sigmoid(M(avg(x)) + M(max(x))), M a two-layer perceptron, avg and max over H and W; y = z *
    sigmoid(BN(conv_k([max_c(z); mean_c(z)]))), max and mean over C.

    Place: end of the residual branch, before the addition.

    The paper does not mention the batch norm, which the authors' code has; its running average moves by 0.01 per step
    there and here.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the perceptron's width (default 16, the paper's).
        kernel_size: k of the spatial convolution, odd (default 7, the paper's; Echo's 3).
        bias: the perceptron has biases (default True, the authors' code).
        pools: the global poolings whose outputs go through the perceptron, to be summed (default avg and max, the
            paper's; the authors' code has two more): avg, max, lp (root of the sum of squares), lse (logarithm of the
            sum of exponentials), a list of them.
        no_spatial: y = z (default False).
        conv_bias: the spatial convolution has a bias (default False, the authors' code; Echo's has).
    """

    reference_key = "cbam"

    def __init__(
        self,
        channels: int,
        *,
        reduction: int = 16,
        kernel_size: int = 7,
        bias: bool = True,
        pools: Sequence[str] = ("avg", "max"),
        no_spatial: bool = False,
        conv_bias: bool = False,
    ) -> None:
        super().__init__(channels)
        hidden = hidden_channels(channels, positive("reduction", reduction))
        self._pools = some("pools", pools, self.POOLS)
        odd("kernel_size", kernel_size)
        switch("conv_bias", conv_bias)
        self._spatial = not switch("no_spatial", no_spatial)
        with self.name_scope():
            self.mlp = pointwise_mlp(channels, hidden, bias=switch("bias", bias))
            if self._spatial:
                self.conv = GroupedConv(1, kernel_size, 2, use_bias=conv_bias)
                self.norm = nn.BatchNorm(in_channels=1, momentum=0.99)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        if not self._spatial:
            return ConstantStart(0.5, (self.mlp[-1],))
        return ConstantStart(0.25, (self.mlp[-1], self.norm))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        first, *rest = (self.mlp(self.pooled(F, x, pool)) for pool in self._pools)
        for logits in rest:
            first = first + logits
        x = fast.channel_gate(F, x, fast.sigmoid(F, first))
        if not self._spatial:
            return x
        logits = self.norm(self.conv(fast.max_mean(F, x)))
        return fast.spatial_gate(F, x, fast.sigmoid(F, logits))


@ATTENTIONS.register("light_cbam", "LightCBAM", "cbaml")
class LightCBAM(Attention):
    """CBAM with one pooled feature map in each part, after timm; CBAM is https://arxiv.org/abs/1807.06521

    z = x * sigmoid(M((avg(x) + max(x)) / 2)), M a two-layer perceptron, avg and max over H and W; y = z *
    sigmoid(BN(conv_k((max_c(z) + mean_c(z)) / 2))), max and mean over C.

    Place: end of the residual branch, before the addition.

    The perceptron runs once and the convolution has one input channel, where CBAM has two of each.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the perceptron's width (default 16, timm's).
        kernel_size: k of the spatial convolution, odd (default 7, timm's).
        bias: the perceptron has biases (default False, timm's).
    """

    reference_key = "light_cbam"

    def __init__(self, channels: int, *, reduction: int = 16, kernel_size: int = 7, bias: bool = False) -> None:
        super().__init__(channels)
        hidden = hidden_channels(channels, positive("reduction", reduction))
        with self.name_scope():
            self.mlp = pointwise_mlp(channels, hidden, bias=switch("bias", bias))
            self.conv = GroupedConv(1, odd("kernel_size", kernel_size), 1)
            self.norm = nn.BatchNorm(in_channels=1)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(0.25, (self.mlp[-1], self.norm))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        pooled = 0.5 * (fast.global_avg(F, x) + fast.global_max(F, x))
        x = fast.channel_gate(F, x, fast.sigmoid(F, self.mlp(pooled)))
        over_channels = 0.5 * (fast.channel_max(F, x) + fast.channel_mean(F, x))
        return fast.spatial_gate(F, x, fast.sigmoid(F, self.norm(self.conv(over_channels))))
