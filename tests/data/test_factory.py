"""From options to loaders: which sets there are, sizes of images and batches."""

import numpy as np
import pytest
from synthetic_batches import config, first

from gluon_attn.data.base import DATASETS
from gluon_attn.data.factory import build, open_dataset
from gluon_attn.utils.errors import UserError


def test_registered_sets():
    assert DATASETS.names() == [
        "cifar10",
        "cifar100",
        "digits",
        "imagenet_folder",
        "imagenet_rec",
        "mnist5k",
        "synthetic",
    ]


def test_unknown_set_names_the_nearest():
    with pytest.raises(UserError, match=r"unknown dataset 'cifar-10'; did you mean cifar10"):
        build(config(dataset="cifar-10"), seed=1)


def test_data_describes_the_set():
    data, source = build(config(input_size=16), seed=1), open_dataset(config(input_size=16), seed=1)
    assert (data.name, data.classes, data.input_shape) == ("synthetic", 5, (3, 16, 16))
    assert (data.class_names, data.mean, data.std) == (source.class_names, source.mean, source.std)
    assert (len(data.train), len(data.val)) == (4, 2)


def test_smaller_images_come_first_and_show_the_same():
    """A mean over blocks of pixels, as INTER_AREA takes it."""
    data, whole = (build(config(**options), seed=1) for options in ({"progressive_size": (8, 16)}, {}))
    assert data.progressive_sizes == ((8, 8), (16, 16))
    (small, label), (large, same) = first(data.train, 0, 3), first(whole.train, 0, 3)
    np.testing.assert_array_equal(label, same)
    np.testing.assert_allclose(small, large.reshape(10, 3, 8, 4, 8, 4).mean((3, 5)), atol=0.02)
    assert first(data.train, 1, 3)[0].shape == (10, 3, 16, 16)
    assert first(data.train, 2, 3)[0].shape == (10, 3, 32, 32)
    assert [first(data.val, epoch)[0].shape for epoch in (0, 2)] == [(10, 3, 32, 32)] * 2


def test_the_last_epochs_have_the_largest_images():
    with pytest.raises(UserError, match="option progressive_size must stay below 32, the size that the last epochs"):
        build(config(progressive_size=(16, 32)), seed=1)


def test_a_batch_serves_all_devices():
    data = build(config(), seed=1, devices=2)
    assert first(data.train)[0].shape == (20, 3, 32, 32)
    assert first(data.val)[0].shape == (20, 3, 32, 32)
