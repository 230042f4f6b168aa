"""The synthetic set: any size, any number of classes, the same from the same seed, and learnable."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from gluon_attn.config.data import DataConfig
from gluon_attn.data import synthetic
from gluon_attn.data.factory import open_dataset


def make(seed=1, **options):
    return open_dataset(DataConfig(dataset="synthetic", **options), seed)


def test_sizes_and_facts():
    source = make(input_size=24, classes=7, train_images=50, val_images=20)
    assert source.train.images.shape == (50, 24, 24, 3)
    assert source.val.images.shape == (20, 24, 24, 3)
    assert source.classes == 7
    assert source.input_shape == (3, 24, 24)


@pytest.mark.parametrize(("count", "classes"), [(100, 7), (2000, 10), (1000, 1000), (5, 9)])
def test_labels_are_balanced(count, classes):
    labels = make(train_images=count, classes=classes, input_size=8).train.labels
    counts = np.bincount(labels, minlength=classes)
    assert counts.max() - counts.min() <= 1
    assert (np.diff(labels) < 0).any()


def test_same_seed_same_images():
    first, second, other = (make(seed, train_images=60, val_images=60) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first.train.images, second.train.images)
    np.testing.assert_array_equal(first.val.labels, second.val.labels)
    assert (first.train.images != other.train.images).any()
    assert (first.train.images != first.val.images).any()


@pytest.mark.parametrize("classes", [2, 3, 4, 10, 24, 25, 60, 61, 100, 1000])
def test_every_class_has_its_own_name(classes):
    names = synthetic.class_names(classes)
    assert len(names) == len(set(names)) == classes
    shapes = {name.split()[0] for name in names}
    assert len(shapes) == (1 if classes < 4 else 2 if classes <= 24 else 5)


def test_names_tell_what_is_drawn():
    """Class 0 of three is a red disc: red in the middle, grey at the edge."""
    source = make(classes=3, train_images=300)
    assert source.class_names == ("disc hue 0", "disc hue 120", "disc hue 240")
    for label in range(3):
        mean = source.train.images[source.train.labels == label].mean(0)
        assert mean[16, 16].argmax() == label
        assert mean[16, 16, label] > 3 * np.delete(mean[16, 16], label).max()
        assert np.ptp(mean[0, 0]) < 15


@pytest.mark.parametrize("size", [8, 9, 33, 224])
def test_any_size_shows_the_shape_in_its_colour(size):
    images = make(input_size=size, train_images=60, val_images=1, classes=3).train.images.astype(int)
    colour = np.ptp(images, axis=3).mean(0)
    middle = colour[size // 3 : -(size // 3), size // 3 : -(size // 3)]
    assert middle.mean() > 90
    assert max(colour[0, 0], colour[0, -1], colour[-1, 0], colour[-1, -1]) < 40


@pytest.mark.parametrize(("classes", "size"), [(10, 16), (4, 8)])
def test_a_linear_classifier_learns_it(classes, size):
    """Chance is 10 and 25 %; a network does better than this."""
    source = make(classes=classes, input_size=size)
    pixels = [arrays.images.reshape(len(arrays), -1) / 255 - 0.45 for arrays in (source.train, source.val)]
    model = LogisticRegression(max_iter=300, tol=1e-3).fit(pixels[0], source.train.labels)
    assert model.score(pixels[1], source.val.labels) > 0.9
