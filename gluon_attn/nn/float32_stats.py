"""Squares, variances and sums that half precision cannot hold, computed in float32.

A float16 number ends at 65504: a square overflows above 255, a sum over a large feature map earlier. Every function
takes `F` (`mx.nd` or `mx.sym`) first and reads no shape. Feature maps `x` are N,C,H,W; a wide one is in float32 or
float64, see `InFloat32.widen`.
"""

from typing import Any

import numpy as np

from . import fast
from .tracing import Tensor, compiled, plain, single


class InFloat32:
    """Mixin, first among the bases of a HybridBlock, that computes statistics in float32 whatever the block's dtype.

    It keeps the dtype of the last `cast`, which a graph cannot read. Inside `fast.plain_operators()`, for ONNX and for
    counting, `widen` and `narrow` do nothing: everything is in float32 there.
    """

    _dtype: Any = "float32"
    _wide: str = "float32"

    def cast(self, dtype: Any) -> None:
        """Cast the block, as in Gluon."""
        super().cast(dtype)  # type: ignore[misc]
        self._dtype = dtype
        self._wide = "float64" if dtype in ("float64", np.float64) else "float32"

    def widen(self, F: Any, x: Tensor) -> Tensor:
        """`x` in float32, or in float64 if the block was cast to that."""
        # also in a float32 block, since mixed precision may pass in something narrower
        return x if plain() else F.cast(x, dtype="float32" if single() else self._wide)

    def narrow(self, F: Any, value: Tensor) -> Tensor:
        """A widened `value` in the block's dtype."""
        same = plain() or single() or self._dtype == self._wide
        return value if same else F.cast(value, dtype=self._dtype)

    def l2_norm(self, F: Any, x: Tensor, epsilon: float) -> Tensor:
        """sqrt(sum of x^2 over height and width + epsilon), (N,C,H,W) -> (N,C,1,1), wide."""
        if compiled():  # which takes x as it is, and computes in float32 at least
            return F.gluon_attn_l2_norm(x, epsilon=epsilon)
        wide = self.widen(F, x)
        squares = F.broadcast_mul(fast.global_avg(F, F.square(wide)), area(F, wide))
        return F.sqrt(squares + epsilon)


class GlobalPools(InFloat32):
    """Mixin, first among the bases of a HybridBlock: the global poolings of CBAM's authors by name.

    avg, max, lp (square root of the sum of squares), lse (logarithm of the sum of exponentials); the last two in
    float32.
    """

    POOLS = ("avg", "max", "lp", "lse")

    def pooled(self, F: Any, x: Tensor, pool: str) -> Tensor:
        """The pooling named `pool`, one of `POOLS`: (N,C,H,W) -> (N,C,1,1)."""
        if pool in ("avg", "max"):
            return (fast.global_avg if pool == "avg" else fast.global_max)(F, x)
        return self.narrow(F, self.l2_norm(F, x, 1e-20) if pool == "lp" else logsumexp(F, self.widen(F, x)))


def area(F: Any, x: Tensor) -> Tensor:
    """H * W as (1,1,1,1), in the dtype of `x`, which should be wide."""
    # slice_axis, since oneDNN's form of F.slice divides by zero on some layouts of convolutions
    first = F.slice_axis(F.BlockGrad(x), axis=0, begin=0, end=1)
    return F.sum(F.ones_like(F.slice_axis(first, axis=1, begin=0, end=1)), axis=(2, 3), keepdims=True)


def axis_line(F: Any, x: Tensor, axis: int) -> Tensor:
    """One line of (N,C,H,W) along `axis`, as (length,), in float32, which holds positions exactly."""
    for other in {0, 1, 2, 3} - {axis}:
        x = F.slice_axis(x, axis=other, begin=0, end=1)
    return F.cast(F.reshape(x, shape=(-1,)), dtype="float32")


def centered(F: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    """(mean, x - mean) over height and width: (N,C,1,1) and (N,C,H,W), for a wide `x`."""
    mean = fast.global_avg(F, x)
    return mean, fast.channel_shift(F, x, -mean)


def logsumexp(F: Any, x: Tensor) -> Tensor:
    """log(sum of exp(x) over height and width), (N,C,1,1), for a wide `x`."""
    maximum = F.BlockGrad(fast.global_max(F, x))
    mean = fast.global_avg(F, F.exp(fast.channel_shift(F, x, -maximum)))
    return maximum + F.log(F.broadcast_mul(mean, area(F, x)))
