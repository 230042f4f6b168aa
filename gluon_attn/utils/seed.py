"""Reproducible random streams: each depends on the seed and a few integers, on nothing else."""

import random

import numpy as np


def generator(seed: int, *stream: int) -> np.random.Generator:
    """A NumPy generator for the stream of `seed` and the integers `stream`, e.g. `generator(seed, rank, epoch)`."""
    return np.random.default_rng([seed, *stream])


def derive(seed: int, *stream: int) -> int:
    """A 31-bit integer from `seed` and the integers `stream`, for libraries that take a plain seed."""
    return int(np.random.SeedSequence([seed, *stream]).generate_state(1)[0]) & 0x7FFFFFFF


def seed_all(seed: int, *stream: int) -> None:
    """Seed Python's, NumPy's and MXNet's global streams (dropout, initialisation) from `seed` and `stream`."""
    import mxnet as mx

    value = derive(seed, *stream)
    random.seed(value)
    np.random.seed(value)
    mx.random.seed(value)
