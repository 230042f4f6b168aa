"""Checks of option values: what passes, and the line that names the option otherwise."""

import math

import numpy as np
import pytest

from gluon_attn.utils import checks
from gluon_attn.utils.errors import UserError


def refused(check, *arguments):
    """The message of the `UserError`, which must be one line."""
    with pytest.raises(UserError) as caught:
        check(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("value", [1, 7, np.int64(3)])
def test_positive(value):
    found = checks.positive("x", value)
    assert found == value
    assert type(found) is int


@pytest.mark.parametrize("value", [0, -1, 2.0, 2.5, True, "3", None, [1]])
def test_not_positive(value):
    assert refused(checks.positive, "reduction", value) == f"reduction must be a whole number above 0, got {value!r}"
    assert checks.positive_error(value) == "must be a whole number above 0"
    assert checks.positive_error(1) is None


def test_positives():
    assert checks.positives("x", [1, 2, 3], 3) == (1, 2, 3)
    assert checks.positives("x", (5,), 1) == (5,)
    for wrong in ([1, 2], 3, "123", None):
        assert refused(checks.positives, "blocks", wrong, 3) == (
            f"blocks must list 3 whole numbers, one per stage, got {wrong!r}"
        )
    assert refused(checks.positives, "blocks", [1, 0], 2) == "blocks must be a whole number above 0, got 0"


def test_rate():
    assert [checks.rate("x", value) for value in (0, 0.5, np.float32(0.25))] == [0, 0.5, 0.25]
    for wrong in (1, 1.0, -0.1, math.nan, True, "0.5", None):
        assert refused(checks.rate, "dropout", wrong) == f"dropout must be from 0 to below 1, got {wrong!r}"
    assert checks.rate_error(0.5) is None
    assert checks.rate_error(1) == "must be from 0 to below 1"


def test_above():
    assert [checks.above("x", value) for value in (1, 0.25)] == [1, 0.25]
    for wrong in (0, -1, math.inf, math.nan, True, "1", None):
        assert refused(checks.above, "width", wrong) == f"width must be a number above 0, got {wrong!r}"


def test_switch():
    assert checks.switch("x", True) is True
    assert checks.switch("x", False) is False
    for wrong in ("no", 0, 1, None):
        assert refused(checks.switch, "bias", wrong) == f"bias must be true or false, got {wrong!r}"


def test_odd():
    assert [checks.odd("x", value) for value in (1, 3, np.int64(7))] == [1, 3, 7]
    assert refused(checks.odd, "kernel_size", 4) == "kernel_size must be odd, got 4"
    assert refused(checks.odd, "kernel_size", 0) == "kernel_size must be a whole number above 0, got 0"


def test_choice():
    assert checks.choice("x", "max", ("avg", "max")) == "max"
    for wrong in ("min", None, 3, ["max"]):
        assert refused(checks.choice, "pool", wrong, ("avg", "max")) == f"pool must be avg or max, got {wrong!r}"


def test_some():
    assert checks.some("x", ["max"], ("avg", "max")) == ("max",)
    assert checks.some("x", ("max", "avg"), ("avg", "max")) == ("max", "avg")
    for wrong in ([], ["min"], ["max", "max"], "max", None):
        assert refused(checks.some, "pools", wrong, ("avg", "max")) == (
            f"pools must be a list of some of avg, max, got {wrong!r}"
        )


def test_numbers():
    assert all(map(checks.is_number, (0, 1.5, np.float32(1), np.int8(1), math.inf)))
    assert not any(map(checks.is_number, (True, "1", None, 1j, [1])))
