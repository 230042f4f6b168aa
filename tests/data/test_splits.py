"""Training images held out: which, that they are in one subset only, and cropped as test images."""

import numpy as np
import pytest
from photographs import draw_set

from gluon_attn.config.data import DataConfig
from gluon_attn.data import factory
from gluon_attn.data.base import ArraySet, Dataset
from gluon_attn.data.records import RecordFile
from gluon_attn.data.splits import hold_out, split_training_images
from gluon_attn.utils.errors import UserError

LABELS = np.array([0, 1, 0, 1, 1, 0, 1], np.int32)


def numbered():
    """A `Dataset` whose training images show their own numbers."""
    images = np.arange(7, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    train, val = ArraySet(images, LABELS), ArraySet(images[:1].copy(), LABELS[:1].copy())
    return Dataset("numbers", train, val, ("even", "odd"), (0.0,) * 3, (1.0,) * 3, False)


def taken(images):
    data, labels, _ = images.take(np.arange(len(images)), None)
    return data[:, 0, 0, 0].tolist(), labels.tolist()


def test_the_first_of_each_class():
    found = hold_out(numbered(), 2)
    assert taken(found.val) == ([0, 1, 2, 3], [0, 1, 0, 1])
    assert taken(found.train) == ([4, 5, 6], [1, 0, 1])
    assert found.input_shape == (3, 2, 2)


def test_too_many():
    with pytest.raises(UserError, match="option hold_out 3 leaves no training images of class even, which has 3"):
        hold_out(numbered(), 3)


def test_digits():
    config = DataConfig(dataset="digits", hold_out=20, batch_size=32, num_workers=0)
    data, usual = factory.build(config, 1), factory.open_dataset(DataConfig(dataset="digits"), 1)
    labels = np.concatenate([label.asnumpy() for _, label in data.val.epoch(0)])
    assert np.bincount(labels.astype(int)).tolist() == [20] * 10
    assert len(data.train) == (len(usual.train) - 200) // 32


@pytest.mark.parametrize("form", ["folders", "records"])
def test_photographs_are_cut_as_test_images(form, tmp_path):
    folder = draw_set(tmp_path, train=12, val=6)
    config = {"data_dir": str(folder), "hold_out": 2, "input_size": 32, "num_workers": 0, "batch_size": 4}
    name = "imagenet_rec" if form == "records" else "imagenet_folder"
    source = factory.open_dataset(DataConfig(dataset=name, **config), 1)
    plain = factory.open_dataset(DataConfig(dataset=name, **{**config, "hold_out": 0}), 1)
    assert len(source.val) == 2 * source.classes
    assert len(source.val) + len(source.train) == len(plain.train)
    once, again = (source.val.take([0, 1], np.random.default_rng(seed))[0] for seed in (1, 2))
    assert np.array_equal(once, again)  # nothing random
    assert not np.array_equal(once, source.train.take([0, 1], np.random.default_rng(1))[0])


def test_labels_of_records_without_their_images(tmp_path, monkeypatch):
    records = RecordFile(draw_set(tmp_path, train=9, val=3) / "train.rec")
    wanted = [records.read(number)[1] for number in range(len(records))]
    monkeypatch.setattr(records, "read", None)
    assert [records.label(number) for number in range(len(records))] == wanted


def test_a_sample_of_the_test_images():
    config = DataConfig(dataset="synthetic", val_images=40, input_size=8, batch_size=16, num_workers=0)
    labels = []
    for count, seed in ((10, 1), (10, 1), (10, 2), (None, 1), (99, 1)):
        source, loader = factory.build_test(config, seed, count)
        assert len(source.val) == 40
        labels.append(np.concatenate([label.asnumpy() for _, label in loader.epoch(0)]).tolist())
    assert labels[0] == labels[1] != labels[2]
    assert [len(each) for each in labels] == [10, 10, 10, 40, 40]


def test_the_first_training_images_and_the_rest():
    first, rest = split_training_images(numbered(), 0.5)
    assert taken(first) == ([0, 1, 2], [0, 1, 0])
    assert taken(rest) == ([3, 4, 5, 6], [1, 1, 0, 1])


@pytest.mark.parametrize("portion", [0.1, 1.0])
def test_both_must_have_images(portion):
    with pytest.raises(UserError, match=rf"option train_portion {portion} leaves \d of 7 images to learn from"):
        split_training_images(numbered(), portion)
