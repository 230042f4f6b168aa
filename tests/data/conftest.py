"""Shared by the tests of data sets: drawn photographs in record files, and their centre crops."""

import pytest
from photographs import draw_set

from gluon_attn.data.crops import center_crop


@pytest.fixture
def root(tmp_path):
    return draw_set(tmp_path)


@pytest.fixture
def whole_images(monkeypatch):
    """Training images are the centre crops, so that an image is the same each time it is seen."""
    monkeypatch.setattr("gluon_attn.data.imagenet.random_resized_crop", center_crop)
