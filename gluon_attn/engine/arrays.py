"""Arithmetic on lists of arrays in few calls: for thousands of small ones MXNet's front end takes most of the time."""

import mxnet as mx
import numpy as np

_AT_ONCE = 60  # pairs that MXNet's updates of several weights take


def copies(arrays):
    """A copy of each array."""
    made = [mx.nd.empty(array.shape, array.context, array.dtype) for array in arrays]
    put(made, arrays)
    return made


def put(targets, values):
    """Write values into arrays of the same shapes and types."""
    single = [i for i, target in enumerate(targets) if target.dtype == np.float32]
    if single:  # one call, which copies where there are no types to bring together; of other types it fails
        written = [targets[i] for i in single]
        mx.nd.amp_multicast(*(values[i] for i in single), num_outputs=len(single), out=written)
    for i in set(range(len(targets))).difference(single):
        values[i].copyto(targets[i])


def add(targets, directions, factor, decay=0.0):
    """target += factor (direction + decay target) for each, in place."""
    for first in range(0, len(targets), _AT_ONCE):
        written = targets[first : first + _AT_ONCE]
        pairs = zip(written, directions[first : first + _AT_ONCE], strict=True)
        mx.nd.multi_sgd_update(
            *(array for pair in pairs for array in pair), out=written, num_weights=len(written),
            lrs=(-factor,) * len(written), wds=(decay,) * len(written),
        )  # fmt: skip


def norm(arrays):
    """Square root of the sum of the squares of all numbers, as a float."""
    return mx.nd.multi_sum_sq(*arrays, num_arrays=len(arrays)).sum().sqrt().asscalar()


def distance(arrays, others):
    """`norm` of the differences."""
    between = copies(arrays)
    add(between, others, -1.0)
    return norm(between)
