"""Double attention of A2-Nets."""

from typing import Any

from ..nn import fast
from ..nn.convolution import PointwiseConv
from ..nn.float32_stats import InFloat32
from ..nn.tracing import Tensor
from ..utils.checks import positive
from .base import ATTENTIONS, Attention, ConstantStart


@ATTENTIONS.register("a2", "A2", "DoubleAttention", "DoubleAttentionLayer", "double_attention")
class DoubleAttention(InFloat32, Attention):
    """Double attention block, Chen et al. 2018, https://arxiv.org/abs/1810.11579

    y = x + Wz(G softmax_c(Wv x)), G = (Wa x) softmax_hw(Wb x)^T: G gathers c_m features under each of c_n attention
    maps over H and W, then every pixel takes a weighted sum of them, by its softmax over the c_n; Wa, Wb, Wv, Wz 1x1
    convolutions with biases.

    Place: between blocks; here the end of the residual branch.

    Shape: N,C,H,W -> N,C,H,W.

    Args:
        channels: C.
        c_m: features to gather (default None: C / 4, the paper's).
        c_n: attention maps (default None: C / 4, the paper's).
        frames: number of successive images of the batch that make one clip, over which features are gathered (default
            1; the batch must be a multiple; Att-DARTS's `k`, which fails above 1).
    """

    reference_key = "a2"

    def __init__(self, channels: int, *, c_m: int | None = None, c_n: int | None = None, frames: int = 1) -> None:
        super().__init__(channels)
        quarter = max(1, self._channels // 4)
        self._c_m = c_m = quarter if c_m is None else positive("c_m", c_m)
        self._c_n = c_n = quarter if c_n is None else positive("c_n", c_n)
        self._frames = positive("frames", frames)
        with self.name_scope():
            self.feature = PointwiseConv(c_m, channels)
            self.gather = PointwiseConv(c_n, channels)
            self.distribute = PointwiseConv(c_n, channels)
            self.expand = PointwiseConv(channels, c_m)

    def constant_start(self) -> ConstantStart | None:
        """Zeros, see `Attention.constant_start`."""
        return ConstantStart(1, (self.expand,))

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """N,C,H,W -> N,C,H,W."""
        features = self.feature(x)
        parts = (features, self._c_m), (self.gather(x), self._c_n), (self.distribute(x), self._c_n)
        flat, maps, weights = (self.widen(F, self._clips(F, *part)) for part in parts)
        gathered = F.batch_dot(flat, fast.softmax(F, maps), transpose_b=True)  # (clips,c_m,c_n)
        # softmax over a middle axis is slow
        weights = fast.softmax(F, F.transpose(weights, axes=(0, 2, 1)))  # (clips,frames*HW,c_n)
        mixed = self.narrow(F, F.batch_dot(gathered, weights, transpose_b=True))
        return x + self.expand(F.reshape_like(self._images(F, mixed), features))

    def _clips(self, F: Any, maps: Tensor, count: int) -> Tensor:
        """(N,count,H,W) -> (N/frames,count,frames*HW)."""
        rows = F.reshape(maps, shape=(0, 0, -1))
        if self._frames == 1:
            return rows
        # not by a transposition of four axes: oneDNN fails on its gradient in a hybridized block
        frames = F.split(F.reshape(rows, shape=(-1, self._frames * count, 0)), num_outputs=self._frames, axis=1)
        return F.concat(*frames, dim=2)

    def _images(self, F: Any, rows: Tensor) -> Tensor:
        """(N/frames,c_m,frames*HW) -> (N,c_m,HW)."""
        if self._frames == 1:
            return rows
        frames = F.split(rows, num_outputs=self._frames, axis=2)
        return F.reshape(F.concat(*frames, dim=1), shape=(-1, self._c_m, 0))
