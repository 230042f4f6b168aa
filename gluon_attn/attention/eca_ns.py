"""Efficient Channel Attention with weights of its own for each channel."""

from typing import Any

from mxnet.gluon import nn

from ..nn import fast
from ..nn.tracing import Tensor
from ..utils.checks import odd
from ..utils.errors import UserError
from .base import ATTENTIONS, Attention, ConstantStart


@ATTENTIONS.register("eca_ns", "ECA-NS", "ECANS")
class ECANS(Attention):
    """Efficient Channel Attention that shares no weights, Wang et al. 2020, https://arxiv.org/abs/1910.03151

    y = x * sigmoid(g), g_c = sum_j w_cj avg(x)_(c + j - k // 2) over the k neighbors of channel c, zero padded, without
    bias.

    Place: end of the residual branch, before the addition.

    It is the ablation ECA-NS of the paper, C k weights where `eca` has k.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        kernel_size: k, odd, at most 2 C + 1 (default 3, the paper's).
    """

    def __init__(self, channels: int, *, kernel_size: int = 3) -> None:
        super().__init__(channels)
        self._size, self._reach = odd("kernel_size", kernel_size), kernel_size // 2
        if self._reach > channels:
            raise UserError(f"eca_ns takes a kernel_size of at most {2 * channels + 1} here, got {kernel_size}")
        with self.name_scope():
            self.conv = _OwnWeights(channels, kernel_size, groups=channels, use_bias=False, in_channels=channels)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(0.5, (self.conv,))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        line = F.reshape(fast.global_avg(F, x), shape=(0, 0, 1))
        if self._reach:
            border = F.zeros_like(F.slice_axis(line, axis=1, begin=0, end=self._reach))
            padded = F.concat(border, line, border, dim=1)
            last = [None if i == self._size - 1 else i - self._size + 1 for i in range(self._size)]
            shifted = [F.slice_axis(padded, axis=1, begin=i, end=end) for i, end in enumerate(last)]
            line = F.concat(*shifted, dim=2)  # (N,C,k)
        return fast.channel_gate(F, x, fast.sigmoid(F, F.expand_dims(self.conv(line), axis=3)))


class _OwnWeights(nn.Conv1D):
    """A convolution of lines as long as its kernel with a group per channel, (N,C,k) -> (N,C,1).

    It is a sum of products, for which MXNet's grouped convolution takes as long as for a whole feature map.
    """

    def hybrid_forward(self, F: Any, x: Tensor, weight: Tensor) -> Tensor:
        """(N,C,k) -> (N,C,1)."""
        return F.sum(F.broadcast_mul(x, F.expand_dims(F.Flatten(weight), axis=0)), axis=2, keepdims=True)
