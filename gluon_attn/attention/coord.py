"""Coordinate attention."""

from typing import Any

from mxnet.gluon import nn

from ..nn import fast
from ..nn.channel_attention import hidden_channels
from ..nn.float32_stats import InFloat32, area
from ..nn.tracing import Tensor
from ..utils.checks import positive
from .base import ATTENTIONS, Attention, ConstantStart


@ATTENTIONS.register("coord", "CoordAtt", "CA")
class Coord(InFloat32, Attention):
    """Coordinate attention, Hou et al. 2021, https://arxiv.org/abs/2103.02907

    r = means of the rows (C,H), c = means of the columns (C,W); (f_r, f_c) = hswish(BN(W1 [r; c])), the concatenation
    along the positions; y = x * sigmoid(W_r f_r) * sigmoid(W_c f_c), all W 1x1 convolutions with bias.

    Place: end of the residual branch, before the addition; in inverted residual blocks after the depthwise convolution.

    hswish(z) = z * min(max(z + 3, 0), 6) / 6. The means are taken in float32.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        reduction: C over the hidden width, which is at least 8 (default 32, the paper's and the authors' code; timm
            takes 24 and no biases).
    """

    def __init__(self, channels: int, *, reduction: int = 32) -> None:
        super().__init__(channels)
        hidden = max(8, hidden_channels(channels, positive("reduction", reduction)))
        with self.name_scope():
            self.squeeze = nn.Conv2D(hidden, 1, in_channels=channels)
            self.norm = nn.BatchNorm(in_channels=hidden)
            self.rows = nn.Conv2D(channels, 1, in_channels=hidden)
            self.columns = nn.Conv2D(channels, 1, in_channels=hidden)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(0.25, (self.rows, self.columns))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        wide = self.widen(F, x)
        rows, columns = fast.line_mean(F, wide, 3), fast.line_mean(F, wide, 2)
        columns = F.transpose(columns, axes=(0, 1, 3, 2))
        both = self.norm(self.squeeze(self.narrow(F, F.concat(rows, columns, dim=2))))
        both = fast.hard_swish(F, both)
        # no length is known here, so what belongs to the columns is found by counting on from H
        height = F.reshape(area(F, rows), shape=(-1,))
        last = F.take(both, F.broadcast_add(F.contrib.arange_like(columns, axis=2), height), axis=2)
        down = fast.sigmoid(F, self.rows(F.slice_like(both, rows, axes=(2,))))
        along = fast.sigmoid(F, self.columns(F.transpose(last, axes=(0, 1, 3, 2))))
        return fast.axes_gate(F, x, down, along)
