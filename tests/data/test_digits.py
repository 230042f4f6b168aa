"""The digits are the same everywhere: sizes, balance, split, bytes."""

import hashlib
import sys

import numpy as np
import pytest

from gluon_attn.config.data import DataConfig
from gluon_attn.data import digits
from gluon_attn.data.factory import open_dataset
from gluon_attn.utils.errors import UserError


@pytest.fixture(scope="module")
def source():
    return open_dataset(DataConfig(dataset="digits"), seed=1)


def test_facts(source):
    assert (len(source.train), len(source.val)) == (1438, 359)
    assert source.class_names == tuple("0123456789")
    assert source.input_shape == (3, 32, 32)
    assert source.flip is False


def test_classes_are_balanced(source):
    for arrays, least, most in ((source.train, 139, 146), (source.val, 35, 37)):
        counts = np.bincount(arrays.labels, minlength=10)
        assert least <= counts.min() <= counts.max() <= most


def test_split_is_disjoint_and_whole(source):
    labels = np.concatenate([source.train.labels, source.val.labels])
    train, test = digits.split(labels)
    assert sorted([*train, *test]) == list(range(1797))
    pixels = [{image.tobytes() for image in arrays.images} for arrays in (source.train, source.val)]
    assert not pixels[0] & pixels[1]


def test_bytes(source):
    """A change here changes every published digits score."""
    digest = hashlib.sha256()
    for arrays in (source.train, source.val):
        digest.update(arrays.images.tobytes())
        digest.update(arrays.labels.astype("<i4").tobytes())
    assert digest.hexdigest() == "7c8143800da9c968ece34f62e5aa6050bf0a9fe3d47e1b4acf11312f1e5ef2a8"


def test_mean_and_std_are_those_of_the_training_images(source):
    pixels = source.train.images / 255
    np.testing.assert_allclose(source.mean, pixels.mean((0, 1, 2)), atol=5e-5)
    np.testing.assert_allclose(source.std, pixels.std((0, 1, 2)), atol=5e-5)


def test_enlarging_is_bilinear():
    small = np.random.default_rng(0).random((2, 8, 8))
    got = digits.enlarge(small, 32)
    for i, j in np.ndindex(32, 32):
        y, x = (min(max((k + 0.5) / 4 - 0.5, 0), 7) for k in (i, j))
        top, left = int(y), int(x)
        below, right = min(top + 1, 7), min(left + 1, 7)
        dy, dx = y - top, x - left
        upper = small[:, top, left] * (1 - dx) + small[:, top, right] * dx
        lower = small[:, below, left] * (1 - dx) + small[:, below, right] * dx
        np.testing.assert_allclose(got[:, i, j], upper * (1 - dy) + lower * dy, rtol=1e-12)


def test_missing_library_names_itself(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(UserError, match="pip install scikit-learn"):
        open_dataset(DataConfig(dataset="digits"), seed=1)
