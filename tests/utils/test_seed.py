"""Random streams follow from the seed and their numbers alone."""

import random

import mxnet as mx
import numpy as np

from gluon_attn.utils.seed import derive, generator, seed_all


def test_streams_are_reproducible_and_differ():
    draws = {stream: generator(3, *stream).random() for stream in ((), (1,), (2,), (1, 2), (2, 1))}
    assert len(set(draws.values())) == len(draws)
    assert all(generator(3, *stream).random() == value for stream, value in draws.items())
    assert generator(4).random() != draws[()]


def test_derived_seeds_fit_into_31_bits():
    values = {derive(seed, stream) for seed in range(20) for stream in range(20)}
    assert len(values) == 400
    assert all(0 <= value < 2**31 for value in values)
    assert derive(3, 1) == derive(3, 1)


def test_all_global_streams_are_seeded():
    def draw(*seed):
        seed_all(*seed)
        return random.random(), np.random.random(), mx.nd.random.uniform(shape=1).asscalar()

    first, again, other = draw(1, 2), draw(1, 2), draw(1, 3)
    assert first == again
    assert all(a != b for a, b in zip(first, other, strict=True))
