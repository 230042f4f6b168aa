"""Lambda layer."""

import itertools
from typing import Any

from mxnet import init
from mxnet.gluon import nn

from ..nn import fast
from ..nn.float32_stats import InFloat32
from ..nn.one_to_many_conv import OneToManyConv
from ..nn.self_attention import split_heads
from ..nn.tracing import Tensor, compiled
from ..utils.checks import choice, odd, positive
from .base import ATTENTIONS, Attention, head_count


@ATTENTIONS.register("lambda", "LambdaLayer", "lambda_layer", "Lambda")
class LambdaLayer(InFloat32, Attention):
    """Lambda layer with local context, Bello 2021, https://arxiv.org/abs/2102.08602

    y_p = (content + position_p)^T q_p in each head: content = sum_p' softmax_p'(k_p') v_p'^T over all pixels, and
    position_p = sum_d e_d v_(p+d)^T over a window of kernel_size x kernel_size pixels, zero outside of the feature map;
    q = BN(Wq x), heads * keys wide, k = Wk x, `keys` wide, v = BN(Wv x), C / heads wide, no biases; e_d one vector of
    `keys` for each offset.

    Place: in place of the 3x3 convolution.

    The paper's intra-depth is 1 here. e_d starts normal with deviation keys^-1/2, as timm's.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        heads: a divisor of C (default None: the paper's 4, or the greatest number that divides 4 and C).
        keys: width of a query (default 16, the paper's).
        kernel_size: of the window, odd (default 23, the paper's; timm has 9).
        variant: "paper" (default) or "timm": one convolution gives q, k and v, and position_p has a bias.
    """

    reference_key = "lambda"

    slot = "conv"

    def __init__(
        self,
        channels: int,
        *,
        heads: int | None = None,
        keys: int = 16,
        kernel_size: int = 23,
        variant: str = "paper",
    ) -> None:
        super().__init__(channels)
        self._heads = heads = head_count("lambda", heads, channels, 4)
        self._keys, self._values = positive("keys", keys), channels // heads
        self._joint = choice("variant", variant, ("paper", "timm")) == "timm"
        with self.name_scope():
            if self._joint:
                width = heads * keys + keys + self._values
                self.qkv = nn.Conv2D(width, 1, use_bias=False, in_channels=channels)
                self.norm_q, self.norm_v = (nn.BatchNorm(in_channels=size) for size in (heads * keys, self._values))
            else:
                self.query = _normed(channels, heads * keys)
                self.key = nn.Conv2D(keys, 1, use_bias=False, in_channels=channels)
                self.value = _normed(channels, self._values)
            self.position = OneToManyConv(
                keys,
                odd("kernel_size", kernel_size),
                use_bias=self._joint,
                weight_initializer=init.Normal(keys**-0.5),
            )

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        query, key, value = self._qkv(F, x)
        weights = fast.softmax(F, self.widen(F, F.reshape(key, shape=(0, 0, -1))))
        content = F.batch_dot(F.reshape(value, shape=(0, 0, -1)), self.narrow(F, weights), transpose_b=True)
        content = F.reshape(F.concat(*[content] * self._heads, dim=1), shape=(-1, self._values, self._keys))
        local = F.reshape_like(self._local(F, x, query, value), x)
        return local + F.reshape_like(F.batch_dot(content, split_heads(F, query, self._keys)), local)

    def _qkv(self, F: Any, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if not self._joint:
            return self.query(x), self.key(x), self.value(x)
        maps, queries = self.qkv(x), self._heads * self._keys
        ends = (0, queries, queries + self._keys, None)
        query, key, value = (F.slice_axis(maps, axis=1, begin=b, end=e) for b, e in itertools.pairwise(ends))
        return self.norm_q(query), key, self.norm_v(value)

    def _local(self, F: Any, x: Tensor, query: Tensor, value: Any) -> Tensor:
        """Each pixel's queries with its own position matrix, (N,C,HW)."""
        matrices = self.position(F.reshape(value, shape=(-1, 1, 0, 0)))  # (N*values,keys,H,W)
        matrices = F.reshape(F.reshape(matrices, shape=(0, 0, -1)), shape=(-1, self._values * self._keys, 0))
        matrices = F.reshape(F.transpose(matrices, axes=(0, 2, 1)), shape=(-1, self._values, self._keys))
        rows = F.transpose(F.reshape(query, shape=(0, 0, -1)), axes=(0, 2, 1))
        queries = F.reshape(rows, shape=(-1, self._heads, self._keys))
        mixed = F.reshape(F.batch_dot(queries, matrices, transpose_b=True), shape=(-1, self._channels))  # (N*HW,C)
        if fast.plain():  # ONNX has no part of reshape_like, nor SwapAxis
            mixed = F.reshape_like(mixed, F.transpose(F.reshape(x, shape=(0, 0, -1)), axes=(0, 2, 1)))
            return F.transpose(mixed, axes=(0, 2, 1))
        if compiled():
            like = F.BlockGrad(F.slice_axis(x, axis=1, begin=0, end=1))
            return F.gluon_attn_map_of_blocks(F.expand_dims(mixed, axis=1), like, block=1)
        mixed = F.reshape_like(mixed, rows, lhs_begin=0, lhs_end=1, rhs_begin=0, rhs_end=2)
        # oneDNN's gradient of F.transpose fails on the layout that a convolution after it asks for
        return F.SwapAxis(mixed, dim1=1, dim2=2)


def _normed(channels: int, width: int) -> nn.HybridSequential:
    """A 1x1 convolution and batch norm."""
    both = nn.HybridSequential(prefix="")
    both.add(nn.Conv2D(width, 1, use_bias=False, in_channels=channels), nn.BatchNorm(in_channels=width))
    return both
