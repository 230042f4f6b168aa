"""Contextual transformer attention."""

from math import gcd
from typing import Any

from mxnet.gluon import HybridBlock, nn

from ..nn import fast
from ..nn.channel_attention import branch_softmax, gated_sum, hidden_channels
from ..nn.float32_stats import InFloat32
from ..nn.norm import GroupNorm
from ..nn.tracing import Tensor
from ..utils.checks import odd, positive
from .base import ATTENTIONS, Attention

#: channels that share a window's weights, groups of the static context, and the least width of the fusion
SHARED, GROUPS, NARROWEST = 8, 4, 32


@ATTENTIONS.register("cot", "CoT", "CoTAttention")
class CoT(InFloat32, Attention):
    """Contextual transformer, Li et al. 2021, https://arxiv.org/abs/2107.12292

    k = relu(BN(conv x)), a k x k convolution in 4 groups: the static context; w = GN(W2 relu(BN(W1 [x; k]))), k * k
    weights for each pixel and each 8 channels; d_p = sum of w_(p,o) v_(p+o) over the k x k offsets o, v = BN(W3 x): the
    dynamic one; d' = swish(BN(d)); y = a k + (1 - a) d', a by softmax as in split attention of k + d'.

    Place: instead of the 3x3 convolution with the norm and activation after it.

    Norms and activations are those of the authors' code; the paper names none. There is no softmax over the window in
    either; a popular copy has one over the whole feature map.

    Shape: N,C,H,W -> N,C,H,W; with a stride N,C,H/stride,W/stride, rounded up.

    Args:
        channels: C; where 8 or 4 does not divide it their greatest common divisor is taken.
        kernel_size: k, odd (default 3, the paper's).
        reduction: 2 C over the width after W1 (default 4, the authors').
        stride: by a 3x3 average pooling before the module, as the authors' networks (default 1: none).
    """

    slot = "conv"
    normed = True

    def __init__(self, channels: int, *, kernel_size: int = 3, reduction: int = 4, stride: int = 1) -> None:
        super().__init__(channels)
        shared, self._stride = gcd(channels, SHARED), positive("stride", stride)
        heads, hidden = channels // shared, hidden_channels(2 * channels, positive("reduction", reduction))
        self._window = {"kernel": odd("kernel_size", kernel_size), "heads": heads, "shared": shared}
        weights, fused = heads * kernel_size**2, max(channels // 2, NARROWEST)
        with self.name_scope():
            self.context = _layers(
                nn.Conv2D(
                    channels, kernel_size, padding=kernel_size // 2, groups=gcd(channels, GROUPS), use_bias=False,
                    in_channels=channels,
                ),
                nn.BatchNorm(in_channels=channels),
                nn.Activation("relu"),
            )  # fmt: skip
            # W1 in two halves: mixed precision cannot concatenate two dtypes, and nothing is copied
            self.pixel = nn.Conv2D(hidden, 1, use_bias=False, in_channels=channels)
            self.around = nn.Conv2D(hidden, 1, use_bias=False, in_channels=channels)
            self.weigh = _layers(
                nn.BatchNorm(in_channels=hidden),
                _layers(nn.Activation("relu"), nn.HybridLambda(_same)),
                nn.Conv2D(weights, 1, in_channels=hidden),
                GroupNorm(weights, heads),
            )
            self.value = _layers(
                nn.Conv2D(channels, 1, use_bias=False, in_channels=channels), nn.BatchNorm(in_channels=channels)
            )
            self.norm = nn.BatchNorm(in_channels=channels)
            self.fuse = _layers(
                nn.Conv2D(fused, 1, in_channels=channels),
                nn.BatchNorm(in_channels=fused),
                nn.Activation("relu"),
                nn.Conv2D(2 * channels, 1, in_channels=fused),
            )

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H/stride,W/stride, rounded up."""
        if self._stride > 1:
            x = F.Pooling(x, kernel=(3, 3), stride=(self._stride,) * 2, pad=(1, 1), pool_type="avg")
        static = self.context(x)
        weights = self.weigh(self.pixel(x) + self.around(static))
        dynamic = self.norm(_weighted_neighborhood(F, self.value(x), weights, **self._window))
        dynamic = fast.swish(F, dynamic)
        logits = self.fuse(fast.global_avg(F, static) + fast.global_avg(F, dynamic))
        gates = [self.narrow(F, gate) for gate in branch_softmax(F, self.widen(F, logits), 2)]
        return gated_sum(F, (static, dynamic), gates)


def _weighted_neighborhood(F: Any, values: Tensor, weights: Tensor, *, kernel: int, heads: int, shared: int) -> Tensor:
    """Sum over a k x k window of values times weights that differ from pixel to pixel; zeros outside.

    The offsets are taken one by one, which is best where they are few.

    Args:
        F: `mx.nd` or `mx.sym`.
        values: (N,C,H,W).
        weights: (N,heads*k*k,H,W), by head, within it by offset.
        kernel: k, odd.
        heads: number of different weights per offset; channels `heads` apart have the same.
        shared: C / heads.

    Returns:
        (N,C,H,W).
    """
    reach = kernel - 1
    wide = F.Pad(values, mode="constant", pad_width=(0,) * 4 + (kernel // 2,) * 4) if reach else values
    rows = [F.slice_axis(wide, axis=2, begin=i, end=(i - reach) or None) for i in range(kernel)]
    shifted = [F.slice_axis(row, axis=3, begin=j, end=(j - reach) or None) for row in rows for j in range(kernel)]
    by_head = F.reshape(weights, shape=(0, heads, kernel**2, -1))
    parts = F.SliceChannel(by_head, num_outputs=kernel**2, axis=2) if kernel > 1 else [by_head]
    spread = [F.reshape_like(F.concat(*[part] * shared, dim=1), values) for part in parts]
    return F.add_n(*[x * weight for x, weight in zip(shifted, spread, strict=True)])


def _same(F: Any, x: Tensor) -> Tensor:
    """The identity, whose gradient has the plain layout: on another one oneDNN's norm takes sixty times as long."""
    return F.slice_axis(x, axis=1, begin=0, end=None)


def _layers(*layers: HybridBlock) -> nn.HybridSequential:
    block = nn.HybridSequential(prefix="")
    block.add(*layers)
    return block
