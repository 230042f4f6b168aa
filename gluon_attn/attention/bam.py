"""Bottleneck Attention Module."""

from mxnet.gluon import nn

from ..nn import fast
from ..nn.mlp import hidden_channels
from .base import ATTENTIONS, Attention, choice, positive


@ATTENTIONS.register("bam", "BAM", "BottleneckAttentionModule")
class BAM(Attention):
    """Bottleneck Attention Module, Park et al. 2018, https://arxiv.org/abs/1807.06514

    y = x * (1 + sigmoid(Mc(x) + Ms(x))), Mc a two-layer perceptron on avg(x) over H and W, Ms at every pixel a 1x1
    convolution to C / reduction maps, two dilated 3x3 convolutions and a 1x1 convolution to one map; ReLUs between
    the layers, all with biases; N,C,H,W -> N,C,H,W. Place: after a stage, before its next one halves the map.

    channels: C. reduction: C over the hidden width of both branches (default 16, the paper's). dilation: of the 3x3
    convolutions (default 4, the paper's). variant: "paper" (default) adds the two branches, "reference" multiplies
    them as the authors' code and Att-DARTS do. norm: "last" normalises the end of each branch as the paper writes,
    "inner" every layer but the last, as that code; default None: the variant's own. The published parameter counts
    are those of "inner".
    """

    slot = "stage"

    def __init__(self, channels, *, reduction=16, dilation=4, variant="paper", norm=None):
        super().__init__(channels)
        hidden = hidden_channels(channels, positive("reduction", reduction))
        self._added = choice("variant", variant, ("paper", "reference")) == "paper"
        norm = choice("norm", ("last" if self._added else "inner") if norm is None else norm, ("last", "inner"))
        wide = {"kernel_size": 3, "padding": positive("dilation", dilation), "dilation": dilation}
        with self.name_scope():
            self.channel = _branch(norm, channels, [(hidden, {}), (channels, {})])
            self.space = _branch(norm, channels, [(hidden, {}), (hidden, wide), (hidden, wide), (1, {})])

    def hybrid_forward(self, F, x):
        channel, space = self.channel(fast.global_avg(F, x)), self.space(x)
        if self._added:
            logits = F.broadcast_add(channel, space)
        else:
            logits = F.broadcast_mul(channel, space)
        return x + x * fast.sigmoid(F, logits)


def _branch(norm, channels, layers):
    """Convolutions to (maps, options of the convolution), a ReLU after each but the last."""
    block = nn.HybridSequential(prefix="")
    for number, (maps, options) in enumerate(layers, 1):
        last = number == len(layers)
        block.add(nn.Conv2D(maps, **{"kernel_size": 1, **options}, in_channels=channels))
        if last == (norm == "last"):
            block.add(nn.BatchNorm(in_channels=maps))
        if not last:
            block.add(nn.Activation("relu"))
        channels = maps
    return block
