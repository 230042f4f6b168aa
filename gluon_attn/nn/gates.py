"""Gates and shifts by values that many pixels share: the functions of `nn/fast.py`, which says what they promise."""

from .forms import compiled, plain, rows_of

#: of norms that `weighted_sum` may take on
NORMED = {"momentum": 0.9, "eps": 1e-5}


def channel_gate(F, x, gate):
    """`x * gate` for x (N,C,H,W) and gate (N,C,1,1)."""
    if plain():
        return F.broadcast_mul(x, gate)
    if compiled():
        return F.gluon_attn_gate(x, gate)
    return _gate(F, x, _over_pixels(F, x, gate))


def channel_shift(F, x, shift):
    """`x + shift` for x (N,C,H,W) and shift (N,C,1,1)."""
    if plain():
        return F.broadcast_add(x, shift)
    if compiled():
        return F.gluon_attn_shift(x, shift)
    return F.elemwise_add(x, F.reshape_like(_over_pixels(F, x, shift), x))


def channel_spread(F, x, values):
    """`values` (N,C,1,1) at every pixel of x (N,C,H,W)."""
    if plain():
        return F.broadcast_like(values, x)
    return F.reshape_like(_over_pixels(F, x, values), x)


def spatial_gate(F, x, gate):
    """`x * gate` for x (N,C,H,W) and gate (N,1,H,W)."""
    if plain():
        return F.broadcast_mul(x, gate)
    if compiled():
        return F.gluon_attn_gate(x, gate)
    return _gate(F, x, _over_channels(F, x, gate))


def spatial_spread(F, x, values):
    """`values` (N,1,H,W) in every channel of x (N,C,H,W)."""
    if plain():
        return F.broadcast_like(values, x)
    return F.reshape_like(_over_channels(F, x, values), x)


def axes_gate(F, x, rows, columns):
    """`x * rows * columns` for x (N,C,H,W), rows (N,C,H,1) and columns (N,C,1,W)."""
    if plain():
        return F.broadcast_mul(F.broadcast_mul(x, rows), columns)
    if compiled():
        return F.gluon_attn_gate(F.gluon_attn_gate(x, rows), columns)
    lines = F.reshape(rows, shape=(-3, 0, 0)), F.reshape(columns, shape=(-3, 0, 0))
    return _gate(F, x, F.batch_dot(*lines))


def cross_gate(F, x, rows, columns, plane=None):
    """`x * (rows + columns + plane)` for rows (N,C,H,1), columns (N,C,1,W) and plane (N,1,H,W) or None."""
    if compiled():
        gates = (rows, columns) if plane is None else (rows, columns, plane)
        return F.gluon_attn_cross(x, *gates, plane=int(plane is not None))
    if plain():
        y = F.broadcast_mul(x, F.broadcast_add(rows, columns))
    else:  # a product of two factors is many times faster than broadcasting
        rows, columns = F.reshape(rows, shape=(-3, 0, 0)), F.reshape(columns, shape=(-3, 0, 0))
        left = F.concat(rows, F.ones_like(rows), dim=2)
        y = _gate(F, x, F.batch_dot(left, F.concat(F.ones_like(columns), columns, dim=1)))
    return y if plane is None else y + spatial_gate(F, x, plane)


def sigmoid(F, x):
    """Logistic function of each element, any shape."""
    if plain():
        return F.sigmoid(x)
    return F.Activation(x, act_type="sigmoid")


def logistic_gate(F, x, logits):
    """`x * sigmoid(logits)`, both of one shape."""
    if compiled():
        return F.gluon_attn_logistic_gate(x, logits)
    return x * sigmoid(F, logits)


def softmax(F, x):
    """Softmax over the last axis, any shape."""
    if compiled():
        return F.gluon_attn_softmax(x)
    return F.softmax(x, axis=-1)


def weighted_sum(F, maps, weights):
    """sum_i weights_i maps_i for maps of one shape and weights (len(maps),).

    As one product of matrices: the gradient of a broadcast multiplication by one number is many times slower.
    With compiled operators a map may be the tuple that a `norm.BatchNorm` leaves apart.
    """
    if compiled():
        normed = "".join("01"[isinstance(each, tuple)] for each in maps)
        inputs = [part for each in maps for part in (each if isinstance(each, tuple) else (each,))]
        return F.gluon_attn_weighted_sum(weights, *inputs, normed=normed, **NORMED)
    rows = F.reshape(F.stack(*maps, axis=0), shape=(0, -1))
    return F.reshape_like(F.dot(F.reshape(weights, shape=(1, -1)), rows), maps[0])


def _over_pixels(F, x, values):
    """(N,C,1,1) -> (N,C,HW)."""
    ones = F.ones_like(F.slice_axis(rows_of(F, x), axis=1, begin=0, end=1))  # (N,1,HW)
    return F.batch_dot(F.reshape(values, shape=(0, 0, 1)), ones)


def _over_channels(F, x, values):
    """(N,1,H,W) -> (N,C,HW)."""
    ones = F.ones_like(F.slice_axis(rows_of(F, x), axis=2, begin=0, end=1))  # (N,C,1)
    return F.batch_dot(ones, rows_of(F, values))


def _gate(F, x, spread):
    """`x` times the gate already spread over N,C,HW."""
    return F.elemwise_mul(x, F.reshape_like(spread, x))
