"""Random streams that can be had again: each follows from the seed and a few integers, from nothing else."""

import random

import numpy as np


def generator(seed, *stream):
    """A NumPy generator for one named stream, e.g. `generator(seed, rank, epoch, batch)`."""
    return np.random.default_rng([seed, *stream])


def derive(seed, *stream):
    """A 31-bit integer for libraries that take a plain seed."""
    return int(np.random.SeedSequence([seed, *stream]).generate_state(1)[0] & 0x7FFFFFFF)


def seed_all(seed, *stream):
    """Seed Python's, NumPy's and MXNet's global streams (dropout, initialisation) from `seed` and `stream`."""
    import mxnet as mx

    value = derive(seed, *stream)
    random.seed(value)
    np.random.seed(value)
    mx.random.seed(value)
