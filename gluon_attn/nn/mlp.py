"""The two-layer bottleneck that most channel attentions share."""

from mxnet.gluon import nn


def hidden_channels(channels, reduction, narrowest=1):
    """Width of a bottleneck: channels / reduction, at least `narrowest`."""
    return max(narrowest, int(channels // reduction))


def pointwise_mlp(channels, hidden, *, bias=True, norm=False, relu=True):
    """1x1 convolution, ReLU, 1x1 convolution on N,C,H,W (H = W = 1 after pooling), `channels` in and out.

    bias: both convolutions have biases. norm: a batch normalisation follows each. relu: the one in between.
    """
    block = nn.HybridSequential(prefix="")
    block.add(nn.Conv2D(hidden, 1, use_bias=bias, in_channels=channels))
    if norm:
        block.add(nn.BatchNorm(in_channels=hidden))
    if relu:
        block.add(nn.Activation("relu"))
    block.add(nn.Conv2D(channels, 1, use_bias=bias, in_channels=hidden))
    if norm:
        block.add(nn.BatchNorm(in_channels=channels))
    return block
