"""Image sets in memory and subsets of them."""

import numpy as np
import pytest
from photographs import draw_folder

from gluon_attn.data.base import ArraySet, Subset
from gluon_attn.data.crops import center_crop, random_resized_crop
from gluon_attn.data.image_folder import ImageFolder
from gluon_attn.data.photos import PhotoSet


def numbered(count=6):
    """Image k is filled with k and has the label 10 + k."""
    images = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 6, 3), np.uint8)
    return ArraySet(images, np.arange(10, 10 + count, dtype=np.int32))


def test_arrays_are_checked_and_read_only():
    images, labels = np.zeros((2, 4, 4, 3), np.uint8), np.zeros(2, np.int32)
    with pytest.raises(ValueError, match="read-only"):
        ArraySet(images, labels).images[0] = 1
    for wrong in ((images.astype(np.float32), labels), (images[..., 0], labels), (images, labels[:1])):
        with pytest.raises(ValueError, match="not "):
            ArraySet(*wrong)


def test_a_subset_is_some_of_the_images():
    subset = Subset(numbered(), np.array([4, 1, 5]))
    assert (len(subset), subset.size) == (3, (4, 6))
    assert subset.labels.tolist() == [14, 11, 15]
    images, labels, errors = subset.take([2, 0], None)
    assert (images[:, 0, 0, 0].tolist(), labels.tolist(), errors) == ([5, 4], [15, 14], [])
    assert subset.take([0], None, (2, 3))[0].shape == (1, 2, 3, 3)


def test_a_subset_of_photographs_takes_the_crop_of_another_set(tmp_path):
    draw_folder(tmp_path, 4)
    files = ImageFolder(tmp_path)
    train, val = (PhotoSet(files, 3, 32, crop) for crop in (random_resized_crop, center_crop))
    fixed = Subset(train, np.array([2, 3])).with_crop_of(val)
    np.testing.assert_array_equal(fixed.take([0, 1], None)[0], val.take([2, 3], None)[0])
    assert fixed.labels.tolist() == train.labels[2:].tolist()


def test_images_in_memory_have_no_crop_to_take_or_give(tmp_path):
    draw_folder(tmp_path, 1)
    arrays = numbered()
    assert arrays.with_crop_of(numbered()) is arrays
    with pytest.raises(TypeError, match="ArraySet has no crop"):
        PhotoSet(ImageFolder(tmp_path), 3, 32, center_crop).with_crop_of(arrays)
