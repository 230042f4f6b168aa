"""Means and maxima over channels, pixels or windows: the functions of `nn/fast.py`, which says what they promise."""

from .forms import compiled, plain, rows_of


def channel_mean(F, x):
    """Mean over the channels, (N,C,H,W) -> (N,1,H,W)."""
    if plain():
        return F.mean(x, axis=1, keepdims=True)
    if compiled():
        return F.gluon_attn_mean(x, first=1, last=1)
    line = F.BlockGrad(x)  # F.slice can divide by zero on what a convolution leaves
    for axis in (0, 2, 3):
        line = F.slice_axis(line, axis=axis, begin=0, end=1)
    weight = _quarters(F, line)
    ones = F.reshape(F.ones_like(F.slice_axis(weight, axis=1, begin=0, end=1)), shape=(1, -1, 1, 1))
    sums = F.Convolution(x, weight, num_filter=4, kernel=(1, 1), no_bias=True)
    return F.Convolution(sums, ones, num_filter=1, kernel=(1, 1), no_bias=True)


def channel_max(F, x):
    """Maximum over the channels, (N,C,H,W) -> (N,1,H,W).

    Of equal maxima the first takes the gradient; the plain form gives it whole to each. Exact in every dtype
    but float64: there values that agree in their first seven digits count as equal.
    """
    if plain():
        return F.max(x, axis=1, keepdims=True)
    if compiled():
        return F.gluon_attn_max(x, first=1, last=1)
    return _first_max(F, x, axis=1)


def max_mean(F, x, axes=(0, 1, 2, 3)):
    """[max; mean] over one axis, as two maps. With x turned to `axes` as in a transposition, over the second of them:

    (N,C,H,W) -> (N,2,H,W), or for axes (0,2,1,3) -> (N,2,C,W).
    """
    turned = axes != (0, 1, 2, 3)
    if compiled():
        both = F.gluon_attn_max_mean(x, first=axes[1])
        return F.transpose(both, axes=axes) if turned else both
    x = F.transpose(x, axes=axes) if turned else x
    # stack, since mixed precision makes its inputs one type, which it does not for concat
    return F.stack(*(F.squeeze(part, axis=1) for part in (channel_max(F, x), channel_mean(F, x))), axis=1)


def line_mean(F, x, axis):
    """Mean along the rows (axis 3) or columns (axis 2) of maps; the axis keeps length 1."""
    if compiled():
        return F.gluon_attn_mean(x, first=axis, last=axis)
    return F.mean(x, axis=axis, keepdims=True)


def global_avg(F, x):
    """Mean over each map, (N,C,H,W) -> (N,C,1,1)."""
    if plain():
        return F.mean(x, axis=(2, 3), keepdims=True)
    if compiled():
        return F.gluon_attn_mean(x, first=2, last=3)
    rows = rows_of(F, x)
    share = F.reshape(F.slice_axis(rows, axis=1, begin=0, end=1), shape=(0, -1, 1))  # (N,HW,1)
    return F.expand_dims(F.batch_dot(rows, F.softmax(F.zeros_like(share), axis=1)), axis=3)


def global_max(F, x):
    """Maximum of each map, (N,C,H,W) -> (N,C,1,1). Equal maxima and float64: as `channel_max`."""
    if plain():
        return F.max(x, axis=(2, 3), keepdims=True)
    if compiled():
        return F.gluon_attn_max(x, first=2, last=3)
    return F.expand_dims(_first_max(F, rows_of(F, x), axis=2), axis=3)


def max_pool(F, x, stride=1):
    """Maxima of windows of 3x3 pixels with a border of one, (N,C,H,W) -> (N,C,H/stride,W/stride), rounded up.

    stride: 1 (default) or 2. Of equal maxima the first takes the gradient. oneDNN's gradient is wrong where another
    operator reads the same map, if that came from a convolution: the layout changes under it.
    """
    if plain():
        return F.Pooling(x, kernel=(3, 3), stride=(stride,) * 2, pad=(1, 1), pool_type="max")
    if compiled():
        return F.gluon_attn_max_pool(x, stride=stride)
    x = F.pad(x, mode="edge", pad_width=(0, 0, 0, 0, 1, 1, 1, 1))  # the edge is in the window already
    for axis in (3, 2):
        first, middle, last = (
            F.slice_axis(x, axis=axis, begin=begin, end=end) for begin, end in ((0, -2), (1, -1), (2, None))
        )
        x = F.maximum(F.maximum(first, middle), last)
    return x if stride == 1 else F.slice(x, begin=(None,) * 4, end=(None,) * 4, step=(None, None, stride, stride))


def _first_max(F, x, axis):
    """The first maximum along `axis`, which stays with length 1."""
    # argmax numbers positions in the dtype it is given: float16 counts to 2048, bfloat16 to 256. In float32 the
    # cast costs nothing within a hybridized network, where it shares its input's memory.
    position = F.argmax(F.cast(x, dtype="float32"), axis=axis, keepdims=True)
    return F.pick(x, position, axis=axis, keepdims=True)


def _quarters(F, line):
    """Weights (4,C,1,1) that sum every fourth channel, divided by C. `line` is a (1,C,1,1) slice.

    A plain sum of 256 to 2048 positive numbers is off by 1e-6 to 2e-6; four sums stay below 3e-7 and cost
    the same.
    """
    number = F.reshape(F.contrib.arange_like(line, axis=1), shape=(1, -1, 1, 1))
    rest = number - F.floor(number / 4) * 4
    mask = F.concat(*[rest == k for k in range(4)], dim=0)
    return F.broadcast_mul(mask, F.softmax(F.zeros_like(line), axis=1))
