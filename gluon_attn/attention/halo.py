"""Blocked local self-attention of HaloNet."""

from math import gcd
from typing import Any

import mxnet as mx
from mxnet.gluon import nn

from ..nn import windows
from ..nn.float32_stats import InFloat32
from ..nn.tracing import Tensor
from ..utils.checks import choice, positive
from ..utils.errors import UserError
from .base import ATTENTIONS, Attention


@ATTENTIONS.register("halo", "Halo", "HaloAttention")
class Halo(InFloat32, Attention):
    """Blocked local self-attention with haloing, Vaswani et al. 2021, https://arxiv.org/abs/2103.12731

    Pixels of a block attend to the block and a halo around it: y_p = sum of a_w v_w over that window, a = softmax over
    w of q_p . (k_w + r_(w-p)) / sqrt(d), in each head of width d; q, k, v = 1x1 convolutions of x without biases, r = a
    row's and a column's embedding added.

    Place: instead of the 3x3 convolution.

    The embeddings are shared by the heads and start normal with deviation 1/sqrt(d), as timm's. Pixels outside of the
    feature map do not count (the paper has no masks), and any spatial size goes: it is padded to whole blocks.

    Shape: N,C,H,W -> N,C,H,W; with a stride N,C,H/stride,W/stride, rounded up.

    Args:
        channels: C.
        block: side of a block (default 8, the paper's).
        halo: pixels around a block that it attends to (default 3, the paper's).
        heads: their number (default 8, timm's; where it does not divide C their greatest common divisor is taken).
        stride: queries are every stride-th pixel, the paper's attention downsampling; it divides `block` (default 1).
        variant: "paper" (default) or "timm": the scale leaves r out, pixels outside count with keys and values of 0,
            one convolution gives k and v, and w - p is counted in queries where there is a stride.
    """

    reference_key = "halo"

    slot = "conv"

    def __init__(
        self, channels: int, *, block: int = 8, halo: int = 3, heads: int = 8, stride: int = 1, variant: str = "paper"
    ) -> None:
        super().__init__(channels)
        if positive("block", block) % positive("stride", stride):
            raise UserError(f"halo needs a stride that divides its block, got stride={stride} and block={block}")
        self._heads = gcd(channels, positive("heads", heads))
        self._block, self._reach, self._stride = block, positive("halo", halo), stride
        self._joint = choice("variant", variant, ("paper", "timm")) == "timm"
        window, side = block + 2 * halo, block // stride
        self._unused = window - side if self._joint else 0  # timm has embeddings for queries all over the window
        self._width = channels // self._heads
        self._offsets = window + side - 1 if self._joint else windows.offsets_of(block, halo, stride)
        with self.name_scope():
            self.query = nn.Conv2D(channels, 1, stride, use_bias=False, in_channels=channels)
            for name, width in (("both", 2 * channels),) if self._joint else (("key", channels), ("value", channels)):
                setattr(self, name, nn.Conv2D(width, 1, use_bias=False, in_channels=channels))
            shape, normal = (self._unused + self._offsets, self._width), mx.init.Normal(self._width**-0.5)
            self.rows = self.params.get("rows", shape=shape, init=normal)
            self.columns = self.params.get("columns", shape=shape, init=normal)

    def hybrid_forward(self, F: Any, x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H/stride,W/stride, rounded up."""
        query = self.query(x)
        heads = F.reshape(query, shape=(-1, self._width, 0, 0))
        if self._joint:
            key, value = F.SliceChannel(
                F.reshape(self.both(x), shape=(-1, 2 * self._width, 0, 0)), num_outputs=2, axis=1
            )
            rows, columns = (
                F.slice_axis(one, axis=0, begin=self._unused, end=None) * self._width**0.5 for one in (rows, columns)
            )
        else:
            key, value = self.key(x), self.value(x)
        weight = F.reshape(F.concat(rows, columns, dim=0), shape=(0, 0, 1, 1))
        position_logits = F.Convolution(heads, weight, num_filter=2 * self._offsets, kernel=(1, 1), no_bias=True)
        y = windows.attend(
            F, self, query, key, value, position_logits, size=self._width, offsets=self._offsets,
            block=self._block, reach=self._reach, step=self._stride, scale=self._width**-0.5,
            shift=1 if self._joint else None, masked=not self._joint,
        )  # fmt: skip
        return F.reshape(y, shape=(-1, self._channels, 0, 0))
