"""Arithmetic on lists of arrays."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn.engine import arrays
from gluon_attn.nn import kernels


def drawn(count=130, dtype="float32"):
    """More than one call takes, of several shapes."""
    return [mx.nd.random.normal(shape=(1 + i % 3, 2)).astype(dtype) for i in range(count)]


@pytest.fixture(params=["compiled", "built-in"])
def form(request):
    if request.param == "built-in":
        yield
        return
    if kernels.problem():
        pytest.skip(kernels.problem())
    with kernels.compiled_operators():
        yield


def numbers(several):
    return [array.asnumpy() for array in several]


@pytest.mark.parametrize("count", [1, 130])
def test_copies_are_equal_and_apart(count):
    given = drawn(count)
    made, before = arrays.copies(given), numbers(given)
    for array in given:
        array += 1
    for copy, old in zip(made, before, strict=True):
        np.testing.assert_array_equal(copy.asnumpy(), old)


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_put_writes_whatever_was_there(dtype):
    given = drawn(dtype=dtype)
    targets = [mx.nd.full(array.shape, np.nan, dtype=dtype) for array in given]
    arrays.put(targets, given)
    for array, copy, target in zip(given, arrays.copies(given), targets, strict=True):
        assert copy.dtype == target.dtype == array.dtype
        np.testing.assert_array_equal(copy.asnumpy(), array.asnumpy())
        np.testing.assert_array_equal(target.asnumpy(), array.asnumpy())


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_add_is_in_place(dtype):
    targets, directions = drawn(dtype=dtype), drawn(dtype=dtype)
    wanted = [t + 0.5 * (d + 0.1 * t) for t, d in zip(numbers(targets), numbers(directions), strict=True)]
    arrays.add(targets, directions, 0.5, decay=0.1)
    for target, value in zip(targets, wanted, strict=True):
        np.testing.assert_allclose(target.asnumpy(), value, rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("form")
def test_an_average_of_what_stays_is_equal_to_it():
    means = drawn()
    before = numbers(means)
    for _ in range(5):
        arrays.add(means, arrays.copies(means), 0.1, decay=-1.0)
    assert all(np.array_equal(*pair) for pair in zip(numbers(means), before, strict=True))


def test_norm():
    some = drawn()
    flat = np.concatenate([array.ravel() for array in numbers(some)])
    assert arrays.norm(some) == pytest.approx(np.linalg.norm(flat), rel=1e-5)


def test_nothing_is_fine():
    arrays.add([], [], 1.0)
    arrays.put([], [])
    assert arrays.copies([]) == []


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("largest", [3.0, 1e6])
def test_a_norm_is_clipped_in_place(largest):
    given = [*drawn(), mx.nd.random.normal(shape=(50, 60))]
    before = numbers(given)
    norm = np.sqrt(sum((array.astype("float64") ** 2).sum() for array in before))
    arrays.clip_norm(given, largest)
    for array, old in zip(given, before, strict=True):
        np.testing.assert_allclose(array.asnumpy(), old * min(1, largest / norm), rtol=1e-5)


@pytest.mark.usefixtures("form")
def test_a_norm_that_is_no_number_hides_nothing():
    given = [mx.nd.array([1.0, np.nan]), mx.nd.array([np.inf])]
    arrays.clip_norm(given, 1.0)
    assert np.isnan(given[0].asnumpy()[1])
    assert not np.isfinite(given[1].asnumpy()).any()
