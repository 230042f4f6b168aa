"""Gates, shifts, softmax and weighted sums: the functions of `nn/fast.py`.

Every function takes `F` (`mx.nd` or `mx.sym`) first; `nn/fast.py` describes what they have in common. The functions
`*_gate` are for the gates of attention: `recording.recording` sees what they multiply by. A product that is a step of
another calculation takes `*_scale`.
"""

from collections.abc import Sequence
from typing import Any

from .recording import CHANNEL, ELEMENT, SPATIAL, recorded
from .tracing import Tensor, compiled, plain


def channel_gate(F: Any, x: Tensor, gate: Tensor) -> Tensor:
    """`x * gate`: one factor per channel.

    Args:
        F: `mx.nd` or `mx.sym`.
        x: (N,C,H,W).
        gate: (N,C,1,1).

    Returns:
        (N,C,H,W).
    """
    return recorded(CHANNEL, x, channel_scale(F, x, gate), lambda: gate)


def channel_scale(F: Any, x: Tensor, scale: Tensor) -> Tensor:
    """`x * scale` as `channel_gate` computes it, for factors that are no gate of an attention."""
    if plain():
        return F.broadcast_mul(x, scale)
    if compiled():
        return F.gluon_attn_gate(x, scale)
    return _times(F, x, _over_pixels(F, x, scale))


def channel_shift(F: Any, x: Tensor, shift: Tensor) -> Tensor:
    """`x + shift`: one summand per channel; x of (N,C,H,W), shift of (N,C,1,1)."""
    if plain():
        return F.broadcast_add(x, shift)
    if compiled():
        return F.gluon_attn_shift(x, shift)
    return F.elemwise_add(x, F.reshape_like(_over_pixels(F, x, shift), x))


def channel_spread(F: Any, x: Tensor, values: Tensor) -> Tensor:
    """`values`, (N,C,1,1), broadcast to the shape of x, (N,C,H,W)."""
    if plain():
        return F.broadcast_like(values, x)
    return F.reshape_like(_over_pixels(F, x, values), x)


def spatial_gate(F: Any, x: Tensor, gate: Tensor) -> Tensor:
    """`x * gate`: one factor per pixel; x of (N,C,H,W), gate of (N,1,H,W)."""
    return recorded(SPATIAL, x, spatial_scale(F, x, gate), lambda: gate)


def spatial_scale(F: Any, x: Tensor, scale: Tensor) -> Tensor:
    """`x * scale` as `spatial_gate` computes it, for factors that are no gate of an attention."""
    if plain():
        return F.broadcast_mul(x, scale)
    if compiled():
        return F.gluon_attn_gate(x, scale)
    return _times(F, x, _over_channels(F, x, scale))


def spatial_spread(F: Any, x: Tensor, values: Tensor) -> Tensor:
    """`values`, (N,1,H,W), broadcast to the shape of x, (N,C,H,W)."""
    if plain():
        return F.broadcast_like(values, x)
    return F.reshape_like(_over_channels(F, x, values), x)


def axes_gate(F: Any, x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """`x * rows * columns` for x of (N,C,H,W), rows of (N,C,H,1) and columns of (N,C,1,W)."""
    return recorded(ELEMENT, x, _by_axes(F, x, rows, columns), lambda: F.broadcast_mul(rows, columns))


def _by_axes(F: Any, x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    if plain():
        return F.broadcast_mul(F.broadcast_mul(x, rows), columns)
    if compiled():
        return F.gluon_attn_gate(F.gluon_attn_gate(x, rows), columns)
    factors = F.reshape(rows, shape=(-3, 0, 0)), F.reshape(columns, shape=(-3, 0, 0))
    return _times(F, x, F.batch_dot(*factors))


def cross_gate(F: Any, x: Tensor, rows: Tensor, columns: Tensor, spatial: Tensor | None = None) -> Tensor:
    """`x * (rows + columns + spatial)`.

    Args:
        F: `mx.nd` or `mx.sym`.
        x: (N,C,H,W).
        rows: (N,C,H,1).
        columns: (N,C,1,W).
        spatial: (N,1,H,W), or None (default) to leave it out.

    Returns:
        (N,C,H,W).
    """

    def gate() -> Tensor:
        both = F.broadcast_add(rows, columns)
        return both if spatial is None else F.broadcast_add(both, spatial)

    return recorded(ELEMENT, x, _by_cross(F, x, rows, columns, spatial), gate)


def _by_cross(F: Any, x: Tensor, rows: Tensor, columns: Tensor, spatial: Tensor | None) -> Tensor:
    if compiled():
        gates = (rows, columns) if spatial is None else (rows, columns, spatial)
        return F.gluon_attn_cross_gate(x, *gates, spatial=int(spatial is not None))
    if plain():
        y = F.broadcast_mul(x, F.broadcast_add(rows, columns))
    else:  # a matrix product of two columns by two rows is many times faster than broadcasting
        rows, columns = F.reshape(rows, shape=(-3, 0, 0)), F.reshape(columns, shape=(-3, 0, 0))
        left = F.concat(rows, F.ones_like(rows), dim=2)
        y = _times(F, x, F.batch_dot(left, F.concat(F.ones_like(columns), columns, dim=1)))
    return y if spatial is None else y + spatial_scale(F, x, spatial)


def sigmoid(F: Any, x: Tensor) -> Tensor:
    """The sigmoid of each element, any shape."""
    if plain():
        return F.sigmoid(x)
    return F.Activation(x, act_type="sigmoid")


def hard_sigmoid(F: Any, x: Tensor) -> Tensor:
    """`min(max(x / 6 + 1 / 2, 0), 1)`, any shape: Howard et al. 2019."""
    return F.hard_sigmoid(x, alpha=1 / 6, beta=0.5)


def logistic_gate(F: Any, x: Tensor, logits: Tensor) -> Tensor:
    """`x * sigmoid(logits)`, both of one shape."""
    y = F.gluon_attn_sigmoid_gate(x, logits) if compiled() else x * sigmoid(F, logits)
    return recorded(ELEMENT, x, y, lambda: sigmoid(F, logits))


def element_gate(F: Any, x: Tensor, gate: Tensor) -> Tensor:
    """`x * gate`, both of one shape."""
    return recorded(ELEMENT, x, x * gate, lambda: gate)


def swish(F: Any, x: Tensor) -> Tensor:
    """`x * sigmoid(x)`, any shape: the activation of Ramachandran et al. 2017, also called SiLU."""
    return F.gluon_attn_swish(x) if compiled() else x * sigmoid(F, x)


def hard_swish(F: Any, x: Tensor) -> Tensor:
    """`x * hard_sigmoid(x)`, any shape: Howard et al. 2019, https://arxiv.org/abs/1905.02244."""
    return F.gluon_attn_hard_swish(x) if compiled() else x * hard_sigmoid(F, x)


def softmax(F: Any, x: Tensor) -> Tensor:
    """Softmax over the last axis, any shape."""
    if compiled():
        return F.gluon_attn_softmax(x)
    return F.softmax(x, axis=-1)


def weighted_sum(F: Any, maps: Sequence[Tensor], weights: Tensor) -> Tensor:
    """sum_i weights_i maps_i.

    As one matrix product: the gradient of a broadcast multiplication by a scalar is many times slower.

    Args:
        F: `mx.nd` or `mx.sym`.
        maps: arrays of one shape.
        weights: (len(maps),).

    Returns:
        An array of the shape of the maps.
    """
    if compiled():
        # momentum and eps matter to normalized terms only, see `norm_sum.py`
        return F.gluon_attn_weighted_sum(weights, *maps, normalized="0" * len(maps), momentum=0.9, eps=1e-5)
    rows = F.reshape(F.stack(*maps, axis=0), shape=(0, -1))
    return F.reshape_like(F.dot(F.reshape(weights, shape=(1, -1)), rows), maps[0])


def _over_pixels(F: Any, x: Tensor, values: Tensor) -> Tensor:
    """(N,C,1,1) -> (N,C,HW)."""
    flat = F.reshape(x, shape=(0, 0, -1))
    ones = F.ones_like(F.slice_axis(flat, axis=1, begin=0, end=1))  # (N,1,HW)
    return F.batch_dot(F.reshape(values, shape=(0, 0, 1)), ones)


def _over_channels(F: Any, x: Tensor, values: Tensor) -> Tensor:
    """(N,1,H,W) -> (N,C,HW)."""
    flat = F.reshape(x, shape=(0, 0, -1))
    ones = F.ones_like(F.slice_axis(flat, axis=2, begin=0, end=1))  # (N,C,1)
    return F.batch_dot(ones, F.reshape(values, shape=(0, 0, -1)))


def _times(F: Any, x: Tensor, gate: Tensor) -> Tensor:
    """`x`, (N,C,H,W), times a gate that is already broadcast to (N,C,HW)."""
    return F.elemwise_mul(x, F.reshape_like(gate, x))
