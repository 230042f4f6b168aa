"""The loss scale goes up and down as it should."""

import pytest

from gluon_attn.engine.loss_scale import LossScaler
from gluon_attn.utils.errors import TrainingError


def test_overflow_halves_and_a_quiet_window_doubles():
    scaler = LossScaler(scale=8.0, window=3, most=16.0)
    assert [scaler.accept(finite) for finite in (True, True, False, True, True)] == [True, True, False, True, True]
    assert scaler.scale == 4
    assert scaler.accept(True)
    assert scaler.scale == 8
    for _ in range(9):
        scaler.accept(True)
    assert scaler.scale == 16


def test_no_scale_below_one():
    scaler = LossScaler(scale=2.0)
    assert not scaler.accept(False)
    with pytest.raises(TrainingError, match="not finite even at loss scale 1"):
        scaler.accept(False)


def test_state_goes_on_within_a_window():
    scaler, other = LossScaler(scale=8.0, window=3), LossScaler(window=3)
    scaler.accept(True)
    other.load(scaler.state())
    other.accept(True)
    other.accept(True)
    assert other.scale == 16
