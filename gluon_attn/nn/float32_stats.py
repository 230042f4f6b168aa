"""Squares, variances and sums that half precision cannot hold, taken in float32.

A float16 number ends at 65504: a square overflows above 255, a sum of a large map earlier. Every function takes
`F` first and reads no shape. Maps are N,C,H,W.
"""

import contextlib
import contextvars

import numpy as np
from mxnet.gluon import HybridBlock

from . import fast

_single = contextvars.ContextVar("single_precision", default=False)


@contextlib.contextmanager
def single_precision():
    """While active, in this thread, blocks are traced as if they had never been cast: for a graph in float32."""
    token = _single.set(True)
    try:
        yield
    finally:
        _single.reset(token)


class InFloat32:
    """What a HybridBlock inherits from, first, to take its statistics in float32 whatever it was cast to.

    The dtype is remembered from `cast`, since a graph does not know it: `widen` gives float32 (float64 in a block
    that was cast to that), `narrow` the block's own dtype back. Under `fast.plain_operators()` neither does anything:
    what it serves, ONNX and counting, is in float32.
    """

    _dtype = _wide = "float32"

    def cast(self, dtype):
        super().cast(dtype)
        self._dtype = dtype
        self._wide = "float64" if dtype in ("float64", np.float64) else "float32"

    def widen(self, F, x):
        """`x` in float32 or float64."""
        # also in a float32 block, where mixed precision may hand in something narrower
        return x if fast.plain() else F.cast(x, dtype="float32" if _single.get() else self._wide)

    def narrow(self, F, value):
        """A widened `value` in the block's dtype."""
        same = fast.plain() or _single.get() or self._dtype == self._wide
        return value if same else F.cast(value, dtype=self._dtype)


def area(F, x):
    """H * W as (1,1,1,1), in the dtype of `x`, which should be wide."""
    return F.sum(F.ones_like(_corner(F, x)), axis=(2, 3), keepdims=True)


def centred(F, x):
    """(mean, x - mean) of each map: (N,C,1,1) and (N,C,H,W), for a wide `x`."""
    mean = fast.global_avg(F, x)
    return mean, fast.channel_shift(F, x, -mean)


def norm(F, x, epsilon):
    """sqrt(sum of x^2 over each map + epsilon), (N,C,1,1), for a wide `x`."""
    squares = F.broadcast_mul(fast.global_avg(F, F.square(x)), area(F, x))
    return F.sqrt(squares + epsilon)


def logsumexp(F, x):
    """log(sum of exp(x) over each map), (N,C,1,1), for a wide `x`."""
    peak = F.BlockGrad(fast.global_max(F, x))
    mean = fast.global_avg(F, F.exp(fast.channel_shift(F, x, -peak)))
    return peak + F.log(F.broadcast_mul(mean, area(F, x)))


class GlobalPools(InFloat32):
    """What a HybridBlock inherits from, first, to pool whole maps in the ways of CBAM's authors.

    avg, max, lp (root of the sum of squares), lse (logarithm of the sum of exponentials); the last two in float32.
    """

    POOLS = ("avg", "max", "lp", "lse")

    def pooled(self, F, x, pool):
        """(N,C,H,W) -> (N,C,1,1)."""
        if pool in ("avg", "max"):
            return (fast.global_avg if pool == "avg" else fast.global_max)(F, x)
        wide = self.widen(F, x)
        return self.narrow(F, norm(F, wide, 1e-20) if pool == "lp" else logsumexp(F, wide))


def _corner(F, x):
    """The first map of the first image, for its size alone."""
    # not F.slice: oneDNN's form of it divides by zero on some layouts that a convolution leaves
    first = F.slice_axis(F.BlockGrad(x), axis=0, begin=0, end=1)
    return F.slice_axis(first, axis=1, begin=0, end=1)


class ChannelNorm(InFloat32, HybridBlock):
    """Layer normalisation over the channels of N,C,1,1, with a scale and a shift a channel.

    channels: C. epsilon: added to the variance (default 1e-5). The statistics are taken in float32.
    """

    def __init__(self, channels, *, epsilon=1e-5):
        super().__init__()
        self._epsilon = epsilon
        with self.name_scope():
            self.gamma = self.params.get("gamma", shape=(1, channels, 1, 1), init="ones")
            self.beta = self.params.get("beta", shape=(1, channels, 1, 1), init="zeros")

    def hybrid_forward(self, F, x, gamma, beta):
        wide = self.widen(F, x)
        rest = F.broadcast_sub(wide, F.mean(wide, axis=1, keepdims=True))
        spread = F.sqrt(F.mean(F.square(rest), axis=1, keepdims=True) + self._epsilon)
        normal = self.narrow(F, F.broadcast_div(rest, spread))
        return F.broadcast_add(F.broadcast_mul(normal, gamma), beta)
