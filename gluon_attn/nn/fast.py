"""Gates, reductions and the sigmoid, written so that MXNet 1.9 runs them fast on a CPU.

The plain operators broadcast and reduce with a generic kernel; the gradient of a broadcast multiply is such a reduction
and takes ten times as long as its forward pass. Here the same mathematics goes through matrix products, 1x1
convolutions and picks. `benchmarks/gating.py` measures both forms. oneDNN's max pooling would be faster still, but its
gradient is arbitrary after `record(train_mode=False)`; all forms here are right in both modes.

Every function takes `F` (`mx.nd` or `mx.sym`) first and serves imperative, hybrid and symbolic code alike: no shape is
read, any batch and spatial size goes, and constants are made from slices of `x`, so that they have its dtype and device
and are no parameters. Feature maps are N,C,H,W. In float32 the fast form agrees with the plain one to 1e-6 of the
operands' magnitude; gates by one factor, shifts and maxima are equal to the bit.

Inside `plain_operators()` each function emits its plain operator: simplest for other engines and for counting. Both
forms export to ONNX; the fast maxima need the converter of `deploy/onnx_ops.py`. Inside `kernels.compiled_operators()`
one compiled operator does it all in one pass: for training only.
"""

from .gates import (
    axes_gate,
    channel_gate,
    channel_scale,
    channel_shift,
    channel_spread,
    cross_gate,
    element_gate,
    hard_sigmoid,
    hard_swish,
    logistic_gate,
    sigmoid,
    softmax,
    spatial_gate,
    spatial_scale,
    spatial_spread,
    swish,
    weighted_sum,
)
from .reductions import (
    avg_pool,
    channel_max,
    channel_mean,
    global_avg,
    global_max,
    line_mean,
    max_mean,
    max_pool,
    weighted_pool,
)
from .tracing import compiled, plain, plain_operators

__all__ = [
    "avg_pool", "axes_gate", "channel_gate", "channel_max", "channel_mean", "channel_scale", "channel_shift",
    "channel_spread", "compiled", "cross_gate", "element_gate", "global_avg", "global_max", "hard_sigmoid",
    "hard_swish", "line_mean", "logistic_gate", "max_mean", "max_pool", "plain", "plain_operators", "sigmoid",
    "softmax", "spatial_gate", "spatial_scale", "spatial_spread", "swish", "weighted_pool", "weighted_sum",
]  # fmt: skip
