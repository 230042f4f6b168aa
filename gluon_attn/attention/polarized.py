"""Polarized self-attention, parallel and sequential."""

from typing import Any

from mxnet.gluon import nn

from ..nn import fast
from ..nn.channel_attention import hidden_channels
from ..nn.float32_stats import InFloat32
from ..nn.norm import ChannelNorm
from ..nn.tracing import Tensor
from ..utils.checks import positive
from .base import ATTENTIONS, Attention, ConstantStart


class Polarized(InFloat32, Attention):
    """What both forms share: a channel gate (N,C,1,1) and a spatial gate (N,1,H,W).

    Args:
        channels: C.
        reduction: C over the inner width (default 2, the paper's).
    """

    def __init__(self, channels: int, *, reduction: int = 2) -> None:
        super().__init__(channels)
        hidden = hidden_channels(channels, positive("reduction", reduction))
        with self.name_scope():
            self.channel_query = nn.Conv2D(1, 1, use_bias=False, in_channels=channels)
            self.channel_value = nn.Conv2D(hidden, 1, use_bias=False, in_channels=channels)
            self.expand = nn.Conv2D(channels, 1, use_bias=False, in_channels=hidden)
            self.norm = ChannelNorm(channels)
            self.space_query = nn.Conv2D(hidden, 1, use_bias=False, in_channels=channels)
            # the value's 1x1 convolution transposed: it takes the query to C instead of x to C / reduction
            self.space_value = nn.Conv2D(channels, 1, use_bias=False, in_channels=hidden)

    def channel_gate(self, F: Any, x: Tensor) -> Tensor:
        """The gate of each channel.

        Args:
            F: `mx.nd` or `mx.sym`.
            x: (N,C,H,W).

        Returns:
            (N,C,1,1), after the sigmoid.
        """
        logits = F.reshape(self.channel_query(x), shape=(0, 0, -1))
        weights = self.narrow(F, fast.softmax(F, self.widen(F, logits)))
        # a 1x1 convolution of the weighted sum is the weighted sum of the 1x1 convolution
        pooled = self.channel_value(fast.weighted_pool(F, x, weights))
        return fast.sigmoid(F, self.norm(self.expand(pooled)))

    def space_gate(self, F: Any, x: Tensor) -> Tensor:
        """The gate of each pixel.

        Args:
            F: `mx.nd` or `mx.sym`.
            x: (N,C,H,W).

        Returns:
            (N,1,H,W), after the sigmoid.
        """
        query = F.reshape(self.space_query(fast.global_avg(F, x)), shape=(0, -1))
        weights = self.narrow(F, fast.softmax(F, self.widen(F, query)))
        along = F.reshape(self.space_value(F.reshape(weights, shape=(0, 0, 1, 1))), shape=(0, 1, -1))
        logits = F.batch_dot(along, F.reshape(x, shape=(0, 0, -1)))
        return fast.sigmoid(F, F.reshape_like(logits, F.slice_axis(x, axis=1, begin=0, end=1)))


@ATTENTIONS.register("polarized_parallel", "ParallelPolarizedSelfAttention", "psa_p")
class PolarizedParallel(Polarized):
    """Polarized self-attention, parallel, Liu et al. 2021, https://arxiv.org/abs/2107.00782

    c = sigmoid(LN(Wz sum_p(a_p Wv x_p))), a = softmax over the positions of (Wq x), LN over the channels; s =
    sigmoid(softmax(Vq avg(x)) . (Vv x)), the softmax over the query's channels, avg over H and W, all of them 1x1
    convolutions without bias; y = x * c + x * s.

    Place: end of the residual branch, before the addition (the paper: after the 3x3 convolution).

    The layer norm is in the paper's figure; of the authors' code only the sequential form has one, further inside.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the width of Wv, Vq and Vv (default 2, the paper's).
    """

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(1, (self.norm, self.space_value))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        return fast.channel_gate(F, x, self.channel_gate(F, x)) + fast.spatial_gate(F, x, self.space_gate(F, x))


@ATTENTIONS.register("polarized_sequential", "SequentialPolarizedSelfAttention", "psa_s")
class PolarizedSequential(Polarized):
    """Polarized self-attention, sequential, Liu et al. 2021, https://arxiv.org/abs/2107.00782

    z = x * c(x), then y = z * s(z), with the gates c and s of `polarized_parallel`.

    Place: end of the residual branch, before the addition (the paper: after the 3x3 convolution).

    The authors' code has a bottleneck with a layer norm inside in place of the paper's convolution Wz and norm.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the inner widths (default 2, the paper's).
    """

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(0.25, (self.norm, self.space_value))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        x = fast.channel_gate(F, x, self.channel_gate(F, x))
        return fast.spatial_gate(F, x, self.space_gate(F, x))
