"""DropBlock: dropout of small squares."""

from typing import Any

from mxnet.gluon import HybridBlock

from .tracing import Tensor, drops


class DropBlock(HybridBlock):
    """In training, squares of each channel of each image become 0 and the rest grows by 1 / (1 - rate).

    (N,C,H,W) -> (N,C,H,W); the identity outside of training. Ghiasi et al. 2018, https://arxiv.org/abs/1810.12890.
    Squares may stick out at the borders, so that every value is dropped with probability `rate`, at any size of the
    map.

    Args:
        rate: probability of a value to be dropped.
        size: side of the squares in pixels.
    """

    def __init__(self, rate: float, size: int = 3) -> None:
        super().__init__()
        self.rate, self._size = rate, size

    def hybrid_forward(self, F: Any, x: Tensor) -> Tensor:
        """(N,C,H,W) -> (N,C,H,W)."""
        if not drops():
            return x
        before, after = (self._size - 1) // 2, self._size // 2
        sides = (0, 0, 0, 0, before, after, before, after)
        ones = F.ones_like(F.pad(x, mode="constant", pad_width=sides))
        # a value stays where none of the size**2 squares over it is drawn
        drawn = 1 - F.sign(F.Dropout(ones, p=1 - (1 - self.rate) ** (1 / self._size**2)))
        kept = 1 - F.Pooling(drawn, kernel=(self._size, self._size), pool_type="max")
        # 0 or 2 in training, 1 outside of it, in any dtype
        coin = F.Dropout(F.slice(ones, begin=(0, 0, 0, 0), end=(1, 1, 1, 1)), p=0.5)
        scale = 1 + F.square(coin - 1) * (self.rate / (1 - self.rate))
        return F.broadcast_mul(x * F.BlockGrad(kept), F.BlockGrad(scale))
