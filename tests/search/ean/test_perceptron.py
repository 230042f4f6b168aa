"""Adam by hand."""

import numpy as np
import pytest

from gluon_attn.search.ean.perceptron import Adam


def test_adam_by_hand():
    weights = {"w": np.array([1.0, 2.0])}
    adam = Adam(weights, 0.1)
    adam.step({"w": np.array([4.0, 0.0])})
    assert weights["w"] == pytest.approx([0.9, 2.0])
    adam.step({"w": np.array([-4.0, 0.0])})
    # means 0.36 - 0.4 over 0.19; squares 16
    assert weights["w"] == pytest.approx([0.9 + 0.1 * (0.04 / 0.19) / 4, 2.0])
