"""Triplet attention."""

from typing import Any

from mxnet.gluon import HybridBlock, nn

from ..nn import fast
from ..nn.convolution import GroupedConv
from ..nn.tracing import Tensor
from ..utils.checks import odd, switch
from .base import ATTENTIONS, Attention, ConstantStart


@ATTENTIONS.register("triplet", "Triplet", "TripletAttention", "triplet_attention")
class Triplet(Attention):
    """Triplet attention, Misra et al. 2020, https://arxiv.org/abs/2010.03045

    y = (x g(C,W) + x g(H,C) + x g(H,W)) / 3, g(a,b) = sigmoid(BN(conv_k([max; mean]))), max and mean over the axis that
    is neither a nor b, convolved along a and b.

    Place: end of the residual branch, before the addition.

    The running average of the batch norm moves by 0.01 per step, as there.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C, which no weight depends on.
        kernel_size: k, odd (default 7, the paper's).
        no_spatial: leave g(H,W) out and halve the sum (default False; the paper's ablation).
        bias: the convolutions have biases (default False, the authors' code; Echo's have).
    """

    reference_key = "triplet"

    def __init__(self, channels: int, *, kernel_size: int = 7, no_spatial: bool = False, bias: bool = False) -> None:
        super().__init__(channels)
        odd("kernel_size", kernel_size)
        switch("bias", bias)
        with self.name_scope():
            self.cw = _gate(kernel_size, bias)
            self.hc = _gate(kernel_size, bias)
            self.hw = None if switch("no_spatial", no_spatial) else _gate(kernel_size, bias)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        norms = [gate[-1] for gate in (self.cw, self.hc, self.hw) if gate is not None]
        return ConstantStart(0.5, tuple(norms))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        # each gate is divided, which is less work than dividing the sum
        divisor = 2 if self.hw is None else 3
        columns = F.transpose(_map(F, x, self.cw, (0, 2, 1, 3)), axes=(0, 2, 1, 3)) / divisor  # (N,C,1,W)
        rows = F.transpose(_map(F, x, self.hc, (0, 3, 2, 1)), axes=(0, 3, 2, 1)) / divisor  # (N,C,H,1)
        spatial = None if self.hw is None else _map(F, x, self.hw, (0, 1, 2, 3)) / divisor
        return fast.cross_gate(F, x, rows, columns, spatial)


def _gate(kernel_size: int, bias: bool) -> nn.HybridSequential:
    block = nn.HybridSequential(prefix="")
    block.add(GroupedConv(1, kernel_size, 2, use_bias=bias))
    block.add(nn.BatchNorm(in_channels=1, momentum=0.99))
    return block


def _map(F: Any, x: Tensor, gate: HybridBlock, axes: tuple[int, int, int, int]) -> Tensor:
    """The gate of `x` turned to `axes` along its last two axes, (N,1,.,.)."""
    return fast.sigmoid(F, gate(fast.max_mean(F, x, axes)))
