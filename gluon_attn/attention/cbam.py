"""Convolutional Block Attention Module, and its light form."""

from mxnet.gluon import nn

from ..nn import fast
from ..nn.mlp import hidden_channels, pointwise_mlp
from .base import ATTENTIONS, Attention, odd, positive, switch


@ATTENTIONS.register("cbam", "CBAM")
class CBAM(Attention):
    """Convolutional Block Attention Module, Woo et al. 2018, https://arxiv.org/abs/1807.06521

    z = x * sigmoid(M(avg(x)) + M(max(x))), M a two-layer perceptron, avg and max over H and W;
    y = z * sigmoid(BN(conv_k([max_c(z); mean_c(z)]))), max and mean over C; N,C,H,W -> N,C,H,W.
    Place: end of the residual branch, before the addition.

    channels: C. reduction: C over the perceptron's width (default 16, the paper's). kernel_size: k of the
    spatial convolution, odd (default 7, the paper's). bias: the perceptron has biases (default True, the
    authors' code). The paper does not mention the batch normalisation, which the authors' code has; its
    running average moves by 0.01 a step there and here.
    """

    def __init__(self, channels, *, reduction=16, kernel_size=7, bias=True):
        super().__init__(channels)
        hidden = hidden_channels(channels, positive("reduction", reduction))
        with self.name_scope():
            self.mlp = pointwise_mlp(channels, hidden, bias=switch("bias", bias))
            self.conv = nn.Conv2D(
                1, odd("kernel_size", kernel_size), padding=kernel_size // 2, use_bias=False, in_channels=2
            )
            self.norm = nn.BatchNorm(in_channels=1, momentum=0.99)

    def hybrid_forward(self, F, x):
        pooled = self.mlp(fast.global_avg(F, x)) + self.mlp(fast.global_max(F, x))
        x = fast.channel_gate(F, x, fast.sigmoid(F, pooled))
        over_channels = [F.squeeze(line, axis=1) for line in (fast.channel_max(F, x), fast.channel_mean(F, x))]
        # stack, since mixed precision makes its inputs one type, which it does not for concat
        logits = self.norm(self.conv(F.stack(*over_channels, axis=1)))
        return fast.spatial_gate(F, x, fast.sigmoid(F, logits))


@ATTENTIONS.register("light_cbam", "LightCBAM", "cbaml")
class LightCBAM(Attention):
    """CBAM with one pooled map at each place, after timm; CBAM is https://arxiv.org/abs/1807.06521

    z = x * sigmoid(M((avg(x) + max(x)) / 2)), M a two-layer perceptron, avg and max over H and W;
    y = z * sigmoid(BN(conv_k((max_c(z) + mean_c(z)) / 2))), max and mean over C; N,C,H,W -> N,C,H,W.
    Place: end of the residual branch, before the addition.

    channels: C. reduction: C over the perceptron's width (default 16, timm's). kernel_size: k of the spatial
    convolution, odd (default 7, timm's). bias: the perceptron has biases (default False, timm's). The perceptron
    runs once and the convolution has one input channel, where CBAM has two of each.
    """

    def __init__(self, channels, *, reduction=16, kernel_size=7, bias=False):
        super().__init__(channels)
        hidden = hidden_channels(channels, positive("reduction", reduction))
        with self.name_scope():
            self.mlp = pointwise_mlp(channels, hidden, bias=switch("bias", bias))
            self.conv = nn.Conv2D(
                1, odd("kernel_size", kernel_size), padding=kernel_size // 2, use_bias=False, in_channels=1
            )
            self.norm = nn.BatchNorm(in_channels=1)

    def hybrid_forward(self, F, x):
        pooled = 0.5 * (fast.global_avg(F, x) + fast.global_max(F, x))
        x = fast.channel_gate(F, x, fast.sigmoid(F, self.mlp(pooled)))
        over_channels = 0.5 * (fast.channel_max(F, x) + fast.channel_mean(F, x))
        return fast.spatial_gate(F, x, fast.sigmoid(F, self.norm(self.conv(over_channels))))
