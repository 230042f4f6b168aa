"""Concurrent spatial and channel squeeze and excitation."""

from typing import Any

from mxnet import init
from mxnet.gluon import nn

from ..nn import fast
from ..nn.channel_attention import hidden_channels, pointwise_mlp
from ..nn.tracing import Tensor
from ..utils.checks import positive, switch
from .base import ATTENTIONS, Attention, ConstantStart


@ATTENTIONS.register("scse", "scSE", "SCSE")
class SCSE(Attention):
    """Concurrent spatial and channel squeeze and excitation, Roy et al. 2018, https://arxiv.org/abs/1803.02579

    y = x * sigmoid(W2 relu(W1 avg(x))) + x * sigmoid(q x), the average over H and W, q a 1x1 convolution to one channel
    without bias.

    Place: in the paper after each stage of an encoder and decoder, here end of the residual branch, before the
    addition.

    q starts uniform within 1 / sqrt(C), as layers do in PyTorch: `MSRAPrelu`, which averages both widths, gives a layer
    of one output several times as much, which saturates its gate. The sum of the two is the paper's; a later article of
    the authors takes the maximum.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the hidden width (default 2, the paper's).
        bias: W1 and W2 have biases (default True, the authors' code).
    """

    def __init__(self, channels: int, *, reduction: int = 2, bias: bool = True) -> None:
        super().__init__(channels)
        hidden = hidden_channels(channels, positive("reduction", reduction))
        with self.name_scope():
            self.mlp = pointwise_mlp(channels, hidden, bias=switch("bias", bias))
            start = init.Xavier("uniform", "in", 1)
            self.conv = nn.Conv2D(1, 1, use_bias=False, in_channels=channels, weight_initializer=start)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(1, (self.mlp[-1], self.conv))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        over_channels = fast.channel_gate(F, x, fast.sigmoid(F, self.mlp(fast.global_avg(F, x))))
        return over_channels + fast.spatial_gate(F, x, fast.sigmoid(F, self.conv(x)))
