"""Random weights under the names of a reference."""

import numpy as np

from gluon_attn.convert import reference_names


def numbers(shape):
    return np.random.standard_normal(shape).astype("float32")


def state_of(block, source):
    """(random state with the reference's names, our path -> its array in our shape)."""
    own, state, ours = block._collect_params_with_prefix(), {}, {}
    for path, name in reference_names(block, source).items():
        if own[path].grad_req != "null" or "running" in path:
            state.setdefault(name, abs(numbers(own[path].shape)) + 0.1)
            ours[path] = state[name]
    return state, ours
