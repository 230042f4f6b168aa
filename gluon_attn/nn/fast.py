"""Gating, reducing and sigmoid, written so that MXNet 1.9 runs them fast on a CPU.

The plain operators spread and reduce with a generic kernel; the gradient of a broadcast multiply is such a
reduction and takes ten times its forward pass. Here the same mathematics goes through matrix products, 1x1
convolutions and picks. `benchmarks/gating.py` measures both forms. Max pooling would be faster still, but its
gradient by oneDNN is arbitrary after `record(train_mode=False)`; all forms here are right in both modes.

Every function takes `F` (`mx.nd` or `mx.sym`) first and serves imperative, hybrid and symbolic code alike:
no shape is read, any batch and map size goes, and constants are made from slices of `x`, so they follow its
dtype and device and are no parameters. Maps are N,C,H,W. In float32 the fast form agrees with the plain one
to 1e-6 of the operands' size; gates by one factor, shifts and maxima are equal to the bit.

Inside `plain_operators()` each function emits its plain operator: simplest for other engines and for
counting. Both forms export to ONNX; the fast maxima need the converter of `deploy/onnx_ops.py`.
"""

import contextlib
import contextvars

_plain = contextvars.ContextVar("plain_operators", default=False)


@contextlib.contextmanager
def plain_operators():
    """While active, in this thread, the functions here emit broadcast_mul, mean, max and sigmoid.

    It acts when a graph is traced. A hybridized block that ran before keeps its fast graph, and one that
    first runs inside keeps the plain one; so trace afresh: `net(mx.sym.var("data"))` follows the switch.
    """
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


def plain():
    """Whether this thread is inside `plain_operators()`, for formulations that live in one attention."""
    return _plain.get()


def channel_gate(F, x, gate):
    """`x * gate` for x (N,C,H,W) and gate (N,C,1,1)."""
    if _plain.get():
        return F.broadcast_mul(x, gate)
    ones = F.ones_like(F.slice_axis(_rows(F, x), axis=1, begin=0, end=1))  # (N,1,HW)
    return _gate(F, x, F.batch_dot(F.reshape(gate, shape=(0, 0, 1)), ones))


def channel_shift(F, x, shift):
    """`x + shift` for x (N,C,H,W) and shift (N,C,1,1)."""
    if _plain.get():
        return F.broadcast_add(x, shift)
    ones = F.ones_like(F.slice_axis(_rows(F, x), axis=1, begin=0, end=1))  # (N,1,HW)
    return F.elemwise_add(x, F.reshape_like(F.batch_dot(F.reshape(shift, shape=(0, 0, 1)), ones), x))


def spatial_gate(F, x, gate):
    """`x * gate` for x (N,C,H,W) and gate (N,1,H,W)."""
    if _plain.get():
        return F.broadcast_mul(x, gate)
    ones = F.ones_like(F.slice_axis(_rows(F, x), axis=2, begin=0, end=1))  # (N,C,1)
    return _gate(F, x, F.batch_dot(ones, _rows(F, gate)))


def axes_gate(F, x, rows, columns):
    """`x * rows * columns` for x (N,C,H,W), rows (N,C,H,1) and columns (N,C,1,W)."""
    if _plain.get():
        return F.broadcast_mul(F.broadcast_mul(x, rows), columns)
    lines = F.reshape(rows, shape=(-3, 0, 0)), F.reshape(columns, shape=(-3, 0, 0))
    return _gate(F, x, F.batch_dot(*lines))


def channel_mean(F, x):
    """Mean over the channels, (N,C,H,W) -> (N,1,H,W)."""
    if _plain.get():
        return F.mean(x, axis=1, keepdims=True)
    weight = _quarters(F, F.slice(x, begin=(0, None, 0, 0), end=(1, None, 1, 1)))
    ones = F.reshape(F.ones_like(F.slice_axis(weight, axis=1, begin=0, end=1)), shape=(1, -1, 1, 1))
    sums = F.Convolution(x, weight, num_filter=4, kernel=(1, 1), no_bias=True)
    return F.Convolution(sums, ones, num_filter=1, kernel=(1, 1), no_bias=True)


def channel_max(F, x):
    """Maximum over the channels, (N,C,H,W) -> (N,1,H,W).

    Of equal maxima the first takes the gradient; the plain form gives it whole to each. Exact in every dtype
    but float64: there values that agree in their first seven digits count as equal.
    """
    if _plain.get():
        return F.max(x, axis=1, keepdims=True)
    return _first_max(F, x, axis=1)


def global_avg(F, x):
    """Mean over each map, (N,C,H,W) -> (N,C,1,1)."""
    if _plain.get():
        return F.mean(x, axis=(2, 3), keepdims=True)
    rows = _rows(F, x)
    share = F.reshape(F.slice_axis(rows, axis=1, begin=0, end=1), shape=(0, -1, 1))  # (N,HW,1)
    return F.expand_dims(F.batch_dot(rows, F.softmax(F.zeros_like(share), axis=1)), axis=3)


def global_max(F, x):
    """Maximum of each map, (N,C,H,W) -> (N,C,1,1). Equal maxima and float64: as `channel_max`."""
    if _plain.get():
        return F.max(x, axis=(2, 3), keepdims=True)
    return F.expand_dims(_first_max(F, _rows(F, x), axis=2), axis=3)


def sigmoid(F, x):
    """Logistic function of each element, any shape."""
    if _plain.get():
        return F.sigmoid(x)
    return F.Activation(x, act_type="sigmoid")


def _rows(F, x):
    """(N,C,H,W) -> (N,C,HW)."""
    return F.reshape(x, shape=(0, 0, -1))


def _first_max(F, x, axis):
    """The first maximum along `axis`, which stays with length 1."""
    # argmax numbers positions in the dtype it is given: float16 counts to 2048, bfloat16 to 256. In float32 the
    # cast costs nothing within a hybridized network, where it shares its input's memory.
    position = F.argmax(F.cast(x, dtype="float32"), axis=axis, keepdims=True)
    return F.pick(x, position, axis=axis, keepdims=True)


def _gate(F, x, spread):
    """`x` times the gate already spread over N,C,HW."""
    return F.elemwise_mul(x, F.reshape_like(spread, x))


def _quarters(F, line):
    """Weights (4,C,1,1) that sum every fourth channel, divided by C. `line` is a (1,C,1,1) slice.

    A plain sum of 256 to 2048 positive numbers is off by 1e-6 to 2e-6; four sums stay below 3e-7 and cost
    the same.
    """
    number = F.reshape(F.contrib.arange_like(line, axis=1), shape=(1, -1, 1, 1))
    rest = number - F.floor(number / 4) * 4
    mask = F.concat(*[rest == k for k in range(4)], dim=0)
    return F.broadcast_mul(mask, F.softmax(F.zeros_like(line), axis=1))
