"""Stand-alone self-attention."""

from math import gcd
from typing import Any

import mxnet as mx
from mxnet.gluon import nn

from ..nn import windows
from ..nn.float32_stats import InFloat32
from ..nn.tracing import Tensor
from ..utils.checks import odd, positive
from ..utils.errors import UserError
from .base import ATTENTIONS, Attention

#: side of the blocks of queries that share keys; 4 is fastest for a window of 7
BLOCK = 4


@ATTENTIONS.register("fa", "FA", "sasa", "SASA")
class StandAlone(InFloat32, Attention):
    """Stand-alone self-attention (fully attentional), Ramachandran et al. 2019, https://arxiv.org/abs/1906.05909

    y_p = sum of a_o v_(p+o) over the k x k offsets o, a = softmax over o of q_p . (k_(p+o) + r_o), in each head; q, k,
    v = 1x1 convolutions of x without biases, r_o = [row of o; column of o], half a head's width each.

    Place: instead of the 3x3 convolution; a plan pools after it where that had a stride.

    The embeddings start from a standard normal distribution and every head has its own. Pixels outside of the feature
    map do not count, which is the paper's sum over a neighborhood; popular code pads with zeros that take part in the
    softmax.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C, 2 or more.
        kernel_size: k, odd (default 7, the paper's).
        heads: their number (default 8, the paper's; where it does not divide C the largest divisor of both is taken
            that leaves two channels per head).
    """

    slot = "conv"

    def __init__(self, channels: int, *, kernel_size: int = 7, heads: int = 8) -> None:
        super().__init__(channels)
        if channels < 2:
            raise UserError("fa needs 2 channels or more: half of them for rows, half for columns")
        both = gcd(channels, positive("heads", heads))
        self._heads = max(count for count in range(1, both + 1) if both % count == 0 and channels >= 2 * count)
        self._kernel, self._width = odd("kernel_size", kernel_size), channels // self._heads
        half = self._width // 2
        with self.name_scope():
            for name in ("query", "key", "value"):
                setattr(self, name, nn.Conv2D(channels, 1, use_bias=False, in_channels=channels))
            normal, shape = mx.init.Normal(1), (self._heads, kernel_size)
            self.rows = self.params.get("rows", shape=(*shape, half), init=normal)
            self.columns = self.params.get("columns", shape=(*shape, self._width - half), init=normal)

    def hybrid_forward(self, F: Any, x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        query = self.query(x)
        offsets = F.concat(  # in each head (2k,d): the row's half of q, then the column's
            F.concat(rows, F.zeros_like(columns), dim=2), F.concat(F.zeros_like(rows), columns, dim=2), dim=1
        )  # fmt: skip
        position_logits = F.Convolution(
            query, F.reshape(offsets, shape=(-1, self._width, 1, 1)), num_filter=2 * self._heads * self._kernel,
            kernel=(1, 1), num_group=self._heads, no_bias=True,
        )  # fmt: skip
        y = windows.attend(
            F, self, query, self.key(x), self.value(x), position_logits, size=self._width, offsets=self._kernel,
            block=BLOCK, reach=self._kernel // 2,
        )  # fmt: skip
        return F.reshape(y, shape=(-1, self._channels, 0, 0))
