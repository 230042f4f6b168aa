"""Efficient Channel Attention."""

import math
from numbers import Real

from mxnet.gluon import nn

from ..nn import fast
from ..utils.errors import UserError
from .base import ATTENTIONS, Attention, odd


def eca_kernel(channels, gamma=2, b=1):
    """The paper's kernel size for C channels: |(log2 C + b) / gamma| cut to a whole number, plus 1 when even."""
    if not all(isinstance(value, Real) and math.isfinite(value) for value in (gamma, b)) or gamma <= 0:
        raise UserError(f"eca takes a number above 0 as gamma and a number as b, got {gamma!r} and {b!r}")
    size = int(abs((math.log2(channels) + b) / gamma))
    return size if size % 2 else size + 1


@ATTENTIONS.register("eca", "ECA")
class ECA(Attention):
    """Efficient Channel Attention, Wang et al. 2020, https://arxiv.org/abs/1910.03151

    y = x * sigmoid(conv1d_k(avg(x))), the convolution along the channels, zero padded, without bias;
    N,C,H,W -> N,C,H,W. Place: end of the residual branch, before the addition.

    channels: C. kernel_size: k, odd (default None: the paper's formula from C, `gamma` and `b`, which are 2
    and 1 there; 16 to 64 channels give 3, 128 to 1024 give 5, 2048 gives 7). The authors' released ResNets use
    hand-set kernels instead: pass `kernel_size` for those. gamma and b are refused beside a kernel_size.
    """

    def __init__(self, channels, *, kernel_size=None, gamma=None, b=None):
        super().__init__(channels)
        if kernel_size is None:
            kernel_size = eca_kernel(channels, 2 if gamma is None else gamma, 1 if b is None else b)
        elif gamma is not None or b is not None:
            raise UserError("eca takes kernel_size, or gamma and b, not both")
        with self.name_scope():
            self.conv = nn.Conv1D(
                1, odd("kernel_size", kernel_size), padding=kernel_size // 2, use_bias=False, in_channels=1
            )

    def hybrid_forward(self, F, x):
        along = F.reshape(fast.global_avg(F, x), shape=(0, 1, -1))
        gate = F.reshape(self.conv(along), shape=(0, -1, 1, 1))
        return fast.channel_gate(F, x, fast.sigmoid(F, gate))
