"""Arithmetic on lists of arrays in few calls: for thousands of small ones MXNet's front end takes most of the time.

The arrays of a call are of one type and on one device. Inside `kernels.compiled_operators()` one call takes them all.
"""

from collections.abc import Sequence

import mxnet as mx
import numpy as np

from ..nn import kernels

#: weights that MXNet's updates of several take
AT_ONCE = 60


def copies(arrays: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
    """A copy of each array."""
    made = [mx.nd.empty(array.shape, array.context, array.dtype) for array in arrays]
    put(made, arrays)
    return made


def put(targets: Sequence[mx.nd.NDArray], values: Sequence[mx.nd.NDArray]) -> None:
    """Write `values` into `targets`, arrays of the same shapes."""
    if not targets:
        return
    if _compiled(targets[0]):
        mx.nd.gluon_attn_multi_update(*targets, *values, num_arrays=len(targets), copy=1, scale=1.0, decay=0.0)
    elif targets[0].dtype == np.float32:  # one call, which copies where there are no types to bring together
        mx.nd.amp_multicast(*values, num_outputs=len(targets), out=targets)
    else:
        for target, value in zip(targets, values, strict=True):
            value.copyto(target)


def add(
    targets: Sequence[mx.nd.NDArray], directions: Sequence[mx.nd.NDArray], factor: float, decay: float = 0.0
) -> None:
    """Compute target += factor * (direction + decay * target) for each array, in place.

    Args:
        targets: the arrays that are changed.
        directions: what is added to each, of the same shape.
        factor: step size, such as the negative learning rate.
        decay: weight decay (default: none).
    """
    if targets and _compiled(targets[0]):
        mx.nd.gluon_attn_multi_update(*targets, *directions, num_arrays=len(targets), copy=0, scale=factor, decay=decay)
        return
    for first in range(0, len(targets), AT_ONCE):
        written = targets[first : first + AT_ONCE]
        pairs = zip(written, directions[first : first + AT_ONCE], strict=True)
        mx.nd.multi_sgd_update(
            *(array for pair in pairs for array in pair), out=written, num_weights=len(written),
            lrs=(-factor,) * len(written), wds=(decay,) * len(written),
        )  # fmt: skip


def _compiled(array):
    return kernels.active() and array.context.device_type == "cpu" and array.dtype in (np.float32, np.float64)


def clip_norm(arrays: Sequence[mx.nd.NDArray], largest: float) -> None:
    """Scale arrays in place so that the norm of all their elements together is at most `largest`."""
    if arrays and _compiled(arrays[0]):
        mx.nd.gluon_attn_clip_norm(*arrays, num_arrays=len(arrays), largest=largest)
    else:
        mx.gluon.utils.clip_global_norm(arrays, largest, check_isfinite=False)


def norm(arrays: Sequence[mx.nd.NDArray]) -> float:
    """Euclidean norm of all elements of a list of arrays together, as a float."""
    return float(mx.nd.multi_sum_sq(*arrays, num_arrays=len(arrays)).sum().sqrt().asscalar())
