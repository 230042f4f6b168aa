"""The replay buffer: which steps it holds, and the keys of its saved state."""

import numpy as np

from gluon_attn.search.ean.replay import ReplayBuffer, ReplayStep


def step(number):
    actions = np.full((2, 3), number % 2)
    return ReplayStep(number, actions, np.full((2, 3), 0.5), np.array([1.0, float(number)]))


def test_a_full_buffer_drops_the_oldest_step():
    buffer, random = ReplayBuffer(3), np.random.default_rng(0)
    for number in range(5):
        buffer.add(step(number))
    assert [old.step for old in buffer.steps] == [2, 3, 4]
    assert {buffer.sample(random).step for _ in range(50)} == {2, 3, 4}


def test_state_has_its_keys_and_comes_back():
    buffer, again = ReplayBuffer(4), ReplayBuffer(4)
    assert buffer.arrays() == {}
    for number in range(2):
        buffer.add(step(number))
    arrays = buffer.arrays()
    assert list(arrays) == ["step", "actions", "chances", "rewards"]  # keys of arrays.npz
    again.set_arrays(arrays)
    assert [old.step for old in again.steps] == [0, 1]
    assert all(again.arrays()[key].tobytes() == values.tobytes() for key, values in arrays.items())
