"""The launcher's signal is an exception."""

import signal

import pytest

from gluon_attn.engine.termination import terminated
from gluon_attn.utils.errors import TrainingError


def test_the_signal_is_a_training_error_and_what_was_before_comes_back():
    before = signal.getsignal(signal.SIGTERM)
    with terminated():
        pass
    assert signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(TrainingError, match="the launcher ended this process"), terminated():
        signal.raise_signal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, before)
