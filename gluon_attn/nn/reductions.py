"""Means and maxima over channels, pixels or windows: the functions of `nn/fast.py`.

Every function takes `F` (`mx.nd` or `mx.sym`) first; `nn/fast.py` describes what they have in common.
"""

from typing import Any

from .tracing import Tensor, compiled, inference, plain


def channel_mean(F: Any, x: Tensor) -> Tensor:
    """Mean over the channels, (N,C,H,W) -> (N,1,H,W)."""
    if plain():
        return F.mean(x, axis=1, keepdims=True)
    if compiled():
        return F.gluon_attn_mean(x, first_axis=1, last_axis=1)
    pixel = F.BlockGrad(x)  # slice_axis, since F.slice can divide by zero on the output of a convolution
    for axis in (0, 2, 3):
        pixel = F.slice_axis(pixel, axis=axis, begin=0, end=1)
    weight = _quarters(F, pixel)
    ones = F.reshape(F.ones_like(F.slice_axis(weight, axis=1, begin=0, end=1)), shape=(1, -1, 1, 1))
    sums = F.Convolution(x, weight, num_filter=4, kernel=(1, 1), no_bias=True)
    return F.Convolution(sums, ones, num_filter=1, kernel=(1, 1), no_bias=True)


def channel_max(F: Any, x: Tensor) -> Tensor:
    """Maximum over the channels, (N,C,H,W) -> (N,1,H,W).

    Of equal maxima the first takes the gradient; the plain form gives it whole to each. Exact in every dtype but
    float64: there values that agree in their first seven digits count as equal.
    """
    if plain():
        return F.max(x, axis=1, keepdims=True)
    if compiled():
        return F.gluon_attn_max(x, first_axis=1, last_axis=1)
    return _first_max(F, x, axis=1)


def max_mean(F: Any, x: Tensor, axes: tuple[int, int, int, int] = (0, 1, 2, 3)) -> Tensor:
    """Maximum and mean over one axis, as two channels.

    Args:
        F: `mx.nd` or `mx.sym`.
        x: (N,C,H,W).
        axes: how x is transposed first (default: not at all). The reduction is over axis 1 of the result.

    Returns:
        (N,2,H,W), or for example (N,2,C,W) for axes (0,2,1,3).
    """
    transposed = axes != (0, 1, 2, 3)
    if compiled():
        both = F.gluon_attn_max_mean(x, axis=axes[1])
        return F.transpose(both, axes=axes) if transposed else both
    x = F.transpose(x, axes=axes) if transposed else x
    # stack, since mixed precision casts its inputs to one dtype, which it does not for concat
    return F.stack(*(F.squeeze(part, axis=1) for part in (channel_max(F, x), channel_mean(F, x))), axis=1)


def line_mean(F: Any, x: Tensor, axis: int) -> Tensor:
    """Mean of each row (axis 3) or column (axis 2) of (N,C,H,W); the axis keeps length 1."""
    if compiled():
        return F.gluon_attn_mean(x, first_axis=axis, last_axis=axis)
    return F.mean(x, axis=axis, keepdims=True)


def global_avg(F: Any, x: Tensor) -> Tensor:
    """Mean over height and width, (N,C,H,W) -> (N,C,1,1)."""
    if inference():
        return F.Pooling(x, kernel=(1, 1), global_pool=True, pool_type="avg")
    if plain():
        return F.mean(x, axis=(2, 3), keepdims=True)
    if compiled():
        return F.gluon_attn_mean(x, first_axis=2, last_axis=3)
    rows = F.reshape(x, shape=(0, 0, -1))
    first = F.reshape(F.slice_axis(rows, axis=1, begin=0, end=1), shape=(0, -1, 1))  # (N,HW,1)
    return F.expand_dims(F.batch_dot(rows, F.softmax(F.zeros_like(first), axis=1)), axis=3)


def weighted_pool(F: Any, x: Tensor, weights: Tensor) -> Tensor:
    """Sum over height and width of `x * weights`.

    Args:
        F: `mx.nd` or `mx.sym`.
        x: (N,C,H,W).
        weights: (N,1,HW).

    Returns:
        (N,C,1,1).
    """
    if compiled():
        return F.gluon_attn_weighted_pool(x, weights, constant=0)
    return F.expand_dims(F.batch_dot(F.reshape(x, shape=(0, 0, -1)), weights, transpose_b=True), axis=3)


def global_max(F: Any, x: Tensor) -> Tensor:
    """Maximum over height and width, (N,C,H,W) -> (N,C,1,1). Equal maxima and float64: as `channel_max`."""
    if inference():
        return F.Pooling(x, kernel=(1, 1), global_pool=True, pool_type="max")
    if plain():
        return F.max(x, axis=(2, 3), keepdims=True)
    if compiled():
        return F.gluon_attn_max(x, first_axis=2, last_axis=3)
    return F.expand_dims(_first_max(F, F.reshape(x, shape=(0, 0, -1)), axis=2), axis=3)


def max_pool(F: Any, x: Tensor, stride: int = 1) -> Tensor:
    """3x3 max pooling with padding 1. Of equal maxima the first takes the gradient.

    oneDNN's gradient is wrong where another operator reads the same output of a convolution: it changes the layout.

    Args:
        F: `mx.nd` or `mx.sym`.
        x: (N,C,H,W).
        stride: 1 (default) or 2.

    Returns:
        (N,C,H/stride,W/stride), rounded up.
    """
    if plain() or inference():
        return _pooling(F, x, stride, pool_type="max")
    if compiled():
        return F.gluon_attn_max_pool(x, stride=stride)
    x = F.pad(x, mode="edge", pad_width=(0, 0, 0, 0, 1, 1, 1, 1))  # the edge is in the window already
    for axis in (3, 2):
        first, middle, last = (
            F.slice_axis(x, axis=axis, begin=begin, end=end) for begin, end in ((0, -2), (1, -1), (2, None))
        )
        x = F.maximum(F.maximum(first, middle), last)
    return x if stride == 1 else F.slice(x, begin=(None,) * 4, end=(None,) * 4, step=(None, None, stride, stride))


def avg_pool(F: Any, x: Tensor, stride: int = 1) -> Tensor:
    """3x3 average pooling with padding 1, the padding not counted. Arguments and shapes: as of `max_pool`."""
    if compiled() and not inference():
        return F.gluon_attn_avg_pool(x, stride=stride)
    return _pooling(F, x, stride, pool_type="avg", count_include_pad=False)


def _pooling(F: Any, x: Tensor, stride: int, **kind: Any) -> Tensor:
    return F.Pooling(x, kernel=(3, 3), stride=(stride,) * 2, pad=(1, 1), **kind)


def _first_max(F: Any, x: Tensor, axis: int) -> Tensor:
    """The first maximum along `axis`, which stays with length 1."""
    # argmax numbers positions in the dtype of its input: float16 counts to 2048, bfloat16 to 256. In float32 the cast
    # costs nothing within a hybridized network, where it shares its input's memory.
    position = F.argmax(F.cast(x, dtype="float32"), axis=axis, keepdims=True)
    return F.pick(x, position, axis=axis, keepdims=True)


def _quarters(F: Any, pixel: Tensor) -> Tensor:
    """Weights (4,C,1,1) that sum every fourth channel, divided by C. `pixel` is a (1,C,1,1) slice.

    One sum of 256 to 2048 positive numbers is off by 1e-6 to 2e-6; four sums stay below 3e-7 and cost the same.
    """
    number = F.reshape(F.contrib.arange_like(pixel, axis=1), shape=(1, -1, 1, 1))
    rest = number - F.floor(number / 4) * 4
    mask = F.concat(*[rest == k for k in range(4)], dim=0)
    return F.broadcast_mul(mask, F.softmax(F.zeros_like(pixel), axis=1))
