"""Bottleneck Attention Module."""

from collections.abc import Sequence
from typing import Any

from mxnet.gluon import nn

from ..nn import fast
from ..nn.channel_attention import hidden_channels
from ..nn.convolution import GroupedConv
from ..nn.float32_stats import GlobalPools
from ..nn.tracing import Tensor
from ..utils.checks import choice, positive, some
from .base import ATTENTIONS, Attention


@ATTENTIONS.register("bam", "BAM", "BottleneckAttentionModule")
class BAM(GlobalPools, Attention):
    """Bottleneck Attention Module, Park et al. 2018, https://arxiv.org/abs/1807.06514

    y = x * (1 + sigmoid(Mc(x) + Ms(x))), Mc a two-layer perceptron on avg(x) over H and W, Ms at every pixel a 1x1
    convolution to C / reduction channels, two dilated 3x3 convolutions and a 1x1 convolution to one channel; ReLUs
    between the layers, all with biases.

    Place: after each stage but the last, before the next halves the size.

    The published parameter counts are those of norm="inner".

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the hidden width of both branches (default 16, the paper's).
        dilation: of the 3x3 convolutions (default 4, the paper's).
        convs: number of 3x3 convolutions (default 2, the paper's).
        layers: hidden layers of the perceptron (default 1, the paper's).
        pools: the global poolings whose outputs go through the perceptron, to be summed, a list of those of `cbam`
            (default avg, the paper's; Echo's has avg and max).
        variant: "paper" (default) adds the two branches, "reference" multiplies them as the authors' code and Att-DARTS
            do.
        norm: "last" normalizes the end of each branch as the paper writes, "inner" every layer but the last, as that
            code, "space" those of the second branch alone, as Echo; default None: the variant's own.
    """

    reference_key = "bam"

    slot = "stage"
    between = True

    def __init__(
        self,
        channels: int,
        *,
        reduction: int = 16,
        dilation: int = 4,
        convs: int = 2,
        layers: int = 1,
        pools: Sequence[str] = ("avg",),
        variant: str = "paper",
        norm: str | None = None,
    ) -> None:
        super().__init__(channels)
        hidden = hidden_channels(channels, positive("reduction", reduction))
        self._added = choice("variant", variant, ("paper", "reference")) == "paper"
        self._pools = some("pools", pools, self.POOLS)
        norm = (
            ("last" if self._added else "inner") if norm is None else choice("norm", norm, ("last", "inner", "space"))
        )
        narrow = [(hidden, 1, 1)]
        wide = [(hidden, 3, positive("dilation", dilation))] * positive("convs", convs)
        with self.name_scope():
            self.channel = _branch(norm, channels, narrow * positive("layers", layers) + [(channels, 1, 1)])
            self.space = _branch("inner" if norm == "space" else norm, channels, narrow + wide + [(1, 1, 1)])

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        # running statistics are updated in the backward pass: in reverse order here, they are in the pools' order there
        channel, *rest = (self.channel(self.pooled(F, x, pool)) for pool in reversed(self._pools))
        space = fast.spatial_spread(F, x, self.space(x))
        for logits in rest:
            channel = channel + logits
        together = fast.channel_shift if self._added else fast.channel_scale
        return x + fast.logistic_gate(F, x, together(F, space, channel))


def _branch(norm: str, channels: int, layers: Sequence[tuple[int, int, int]]) -> nn.HybridSequential:
    """Convolutions of (channels, kernel size, dilation) with ReLUs between them, and norms as option `norm` says."""
    block = nn.HybridSequential(prefix="")
    for number, (width, size, dilation) in enumerate(layers, 1):
        last = number == len(layers)
        block.add(GroupedConv(width, size, channels, dilation=dilation, use_bias=True))
        if last if norm == "last" else norm == "inner" and not last:
            block.add(nn.BatchNorm(in_channels=width))
        if not last:
            block.add(nn.Activation("relu"))
        channels = width
    return block
