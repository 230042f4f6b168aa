"""Bottleneck Attention Module."""

from mxnet.gluon import nn

from ..nn import fast
from ..nn.channel_attention import hidden_channels
from ..nn.float32_stats import GlobalPools
from ..utils.checks import choice, positive, some
from .base import ATTENTIONS, Attention


@ATTENTIONS.register("bam", "BAM", "BottleneckAttentionModule")
class BAM(GlobalPools, Attention):
    """Bottleneck Attention Module, Park et al. 2018, https://arxiv.org/abs/1807.06514

    y = x * (1 + sigmoid(Mc(x) + Ms(x))), Mc a two-layer perceptron on avg(x) over H and W, Ms at every pixel a 1x1
    convolution to C / reduction maps, two dilated 3x3 convolutions and a 1x1 convolution to one map; ReLUs between
    the layers, all with biases; N,C,H,W -> N,C,H,W. Place: after each stage but the last, before the next halves the
    map.

    channels: C. reduction: C over the hidden width of both branches (default 16, the paper's). dilation: of the 3x3
    convolutions (default 4, the paper's). convs: how many of those (default 2, the paper's). layers: hidden layers of
    the perceptron (default 1, the paper's). pools: what the perceptron is given and its answers summed over, a list of
    those of `cbam` (default avg, the paper's; Echo's has avg and max). variant: "paper" (default) adds the two
    branches, "reference" multiplies them as the authors' code and Att-DARTS do. norm: "last" normalises the end of
    each branch as the paper writes, "inner" every layer but the last, as that code, "space" those of the second branch
    alone, as Echo; default None: the variant's own. The published parameter counts are those of "inner".
    """

    reference_key = "bam"

    slot = "stage"
    between = True

    def __init__(
        self, channels, *, reduction=16, dilation=4, convs=2, layers=1, pools=("avg",), variant="paper", norm=None
    ):  # fmt: skip
        super().__init__(channels)
        hidden = hidden_channels(channels, positive("reduction", reduction))
        self._added = choice("variant", variant, ("paper", "reference")) == "paper"
        self._pools = some("pools", pools, self.POOLS)
        norm = (
            ("last" if self._added else "inner") if norm is None else choice("norm", norm, ("last", "inner", "space"))
        )
        wide = {"kernel_size": 3, "padding": positive("dilation", dilation), "dilation": dilation}
        narrow, wide = [(hidden, {})], [(hidden, wide)] * positive("convs", convs)
        with self.name_scope():
            self.channel = _branch(norm, channels, narrow * positive("layers", layers) + [(channels, {})])
            self.space = _branch("inner" if norm == "space" else norm, channels, narrow + wide + [(1, {})])

    def hybrid_forward(self, F, x):
        # running statistics move in the backward pass: the last first gives the order of the pools there
        channel, *rest = (self.channel(self.pooled(F, x, pool)) for pool in reversed(self._pools))
        space = fast.spatial_spread(F, x, self.space(x))
        for logits in rest:
            channel = channel + logits
        together = fast.channel_shift if self._added else fast.channel_gate
        return x + fast.logistic_gate(F, x, together(F, space, channel))


def _branch(norm, channels, layers):
    """Convolutions to (maps, options of the convolution), a ReLU after each but the last."""
    block = nn.HybridSequential(prefix="")
    for number, (maps, options) in enumerate(layers, 1):
        last = number == len(layers)
        block.add(nn.Conv2D(maps, **{"kernel_size": 1, **options}, in_channels=channels))
        if last if norm == "last" else norm == "inner" and not last:
            block.add(nn.BatchNorm(in_channels=maps))
        if not last:
            block.add(nn.Activation("relu"))
        channels = maps
    return block
