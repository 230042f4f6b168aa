"""Triplet attention."""

from mxnet.gluon import nn

from ..nn import fast
from .base import ATTENTIONS, Attention, odd, switch


@ATTENTIONS.register("triplet", "Triplet", "TripletAttention", "triplet_attention")
class Triplet(Attention):
    """Triplet attention, Misra et al. 2020, https://arxiv.org/abs/2010.03045

    y = (x g(C,W) + x g(H,C) + x g(H,W)) / 3, g(a,b) = sigmoid(BN(conv_k([max; mean]))), max and mean over the axis
    that is neither a nor b, convolved along a and b; N,C,H,W -> N,C,H,W.
    Place: end of the residual branch, before the addition.

    channels: C, which no weight depends on. kernel_size: k, odd (default 7, the paper's). no_spatial: leave g(H,W)
    out and halve the sum (default False; the paper's ablation). bias: the convolutions have biases (default False,
    the authors' code; Echo's have). The running average of the normalisation moves by 0.01 a step, as there.
    """

    def __init__(self, channels, *, kernel_size=7, no_spatial=False, bias=False):
        super().__init__(channels)
        odd("kernel_size", kernel_size)
        switch("bias", bias)
        with self.name_scope():
            self.cw = _gate(kernel_size, bias)
            self.hc = _gate(kernel_size, bias)
            self.hw = None if switch("no_spatial", no_spatial) else _gate(kernel_size, bias)

    def hybrid_forward(self, F, x):
        # each gate is divided, which is less work than dividing the sum
        share = 2 if self.hw is None else 3
        columns = _map(F, F.transpose(x, axes=(0, 2, 1, 3)), self.cw) / share  # (N,C,W)
        rows = F.transpose(_map(F, F.transpose(x, axes=(0, 3, 2, 1)), self.hc), axes=(0, 2, 1)) / share  # (N,C,H)
        y = x * _cross(F, rows, columns, x)
        if self.hw is None:
            return y
        return y + fast.spatial_gate(F, x, F.expand_dims(_map(F, x, self.hw), axis=1) / share)


def _gate(kernel_size, bias):
    block = nn.HybridSequential(prefix="")
    block.add(nn.Conv2D(1, kernel_size, padding=kernel_size // 2, use_bias=bias, in_channels=2))
    block.add(nn.BatchNorm(in_channels=1, momentum=0.99))
    return block


def _map(F, x, gate):
    """The gate of `x` (N,A,B,C) along its last two axes, (N,B,C)."""
    over_first = [F.squeeze(line, axis=1) for line in (fast.channel_max(F, x), fast.channel_mean(F, x))]
    # stack, since mixed precision makes its inputs one type, which it does not for concat
    return fast.sigmoid(F, F.squeeze(gate(F.stack(*over_first, axis=1)), axis=1))


def _cross(F, rows, columns, x):
    """rows (N,C,H) + columns (N,C,W), as N,C,H,W."""
    if fast.plain():
        return F.broadcast_add(F.expand_dims(rows, axis=3), F.expand_dims(columns, axis=2))
    # a product of two factors is many times faster than broadcasting, and x is neither turned back nor gated twice
    rows, columns = (F.reshape(part, shape=(-1, 1, 0)) for part in (rows, columns))
    left = F.concat(rows, F.ones_like(rows), dim=1)
    right = F.concat(F.ones_like(columns), columns, dim=1)
    return F.reshape_like(F.batch_dot(left, right, transpose_a=True), x)
