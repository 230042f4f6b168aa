"""Options to loaders: which sets there are, what training changes, what labels look like."""

import numpy as np
import pytest

from gluon_attn.config.data import DataConfig
from gluon_attn.data.base import DATASETS, ArraySet
from gluon_attn.data.factory import build, open_source
from gluon_attn.utils.errors import UserError

PLAIN = {
    "dataset": "synthetic", "train_images": 40, "val_images": 20, "batch_size": 10, "classes": 5,
    "num_workers": 0, "crop_padding": 0, "flip": False,
}  # fmt: skip

ANY_SET = ("batch_size", "num_workers", "crop_padding", "flip")


def config(dataset="synthetic", **options):
    plain = {key: PLAIN[key] for key in PLAIN if dataset == "synthetic" or key in ANY_SET}
    return DataConfig(**{**plain, "dataset": dataset, **options})


def first(loader, *which):
    return [part.asnumpy() for part in next(loader.epoch(*(which or (0,))))]


def raw(cfg):
    """The training images of a batch as normalised arrays, by label order of the plain loader."""
    return first(build(cfg, seed=1).train)


def test_registered_sets():
    assert DATASETS.names() == ["cifar10", "cifar100", "digits", "imagenet_folder", "imagenet_rec", "synthetic"]


def test_unknown_set_names_the_nearest():
    with pytest.raises(UserError, match=r"unknown dataset 'cifar-10'; did you mean cifar10"):
        build(config(dataset="cifar-10"), seed=1)


def test_data_describes_the_set():
    data, source = build(config(input_size=16), seed=1), open_source(config(input_size=16), seed=1)
    assert (data.name, data.classes, data.input_shape) == ("synthetic", 5, (3, 16, 16))
    assert (data.class_names, data.mean, data.std) == (source.class_names, source.mean, source.std)
    assert (len(data.train), len(data.val)) == (4, 2)


def test_smaller_images_come_first_and_show_the_same():
    """A mean over blocks of pixels, as INTER_AREA takes it."""
    data, whole = (build(config(**options), seed=1) for options in ({"progressive_size": (8, 16)}, {}))
    assert data.smaller == ((8, 8), (16, 16))
    (small, label), (large, same) = first(data.train, 0, 3), first(whole.train, 0, 3)
    np.testing.assert_array_equal(label, same)
    np.testing.assert_allclose(small, large.reshape(10, 3, 8, 4, 8, 4).mean((3, 5)), atol=0.02)
    assert first(data.train, 1, 3)[0].shape == (10, 3, 16, 16)
    assert first(data.train, 2, 3)[0].shape == (10, 3, 32, 32)
    assert [first(data.val, epoch)[0].shape for epoch in (0, 2)] == [(10, 3, 32, 32)] * 2


def test_the_last_epochs_have_the_largest_images():
    with pytest.raises(UserError, match="--progressive-size must stay below 32, the size that the last epochs"):
        build(config(progressive_size=(16, 32)), seed=1)


def test_a_batch_serves_all_devices():
    data = build(config(), seed=1, devices=2)
    assert first(data.train)[0].shape == (20, 3, 32, 32)
    assert first(data.val)[0].shape == (20, 3, 32, 32)


def test_validation_is_normalised_and_nothing_else():
    cfg = config(crop_padding=4, flip=True, cutout=True, mixup=True, label_smoothing=True)
    source = open_source(cfg, seed=1)
    data, label = first(build(cfg, seed=1).val, 3)
    want = (source.val.images[:10] / 255 - source.mean) / source.std
    np.testing.assert_allclose(data, want.transpose(0, 3, 1, 2), atol=1e-5)
    np.testing.assert_array_equal(label, source.val.labels[:10])


@pytest.mark.parametrize(
    "change", [{"crop_padding": 4}, {"flip": True}, {"cutout": True}, {"mixup": True}, {"cutout_length": 3}]
)
def test_each_option_changes_training_images_only_when_on(change):
    changed, plain = raw(config(**change))[0], raw(config())[0]
    assert np.array_equal(changed, plain) == (change == {"cutout_length": 3})


def test_plain_training_images_are_the_sets_own():
    source = open_source(config(), seed=1)
    want = ((source.train.images / 255 - source.mean) / source.std).transpose(0, 3, 1, 2)
    data, label = raw(config())
    for image, number in zip(data, label, strict=True):
        distance = abs(want - image).max((1, 2, 3))
        assert distance.min() < 1e-5
        assert source.train.labels[distance.argmin()] == number


def test_flip_follows_the_set_unless_told():
    mirrored = {}
    for name in ("digits", "synthetic"):
        for flip in (None, False, True):
            mirrored[name, flip] = raw(config(dataset=name, flip=flip))[0].tobytes()
    assert mirrored["digits", None] == mirrored["digits", False] != mirrored["digits", True]
    assert mirrored["synthetic", None] == mirrored["synthetic", True] != mirrored["synthetic", False]


def test_cutout_blackens_to_the_mean():
    changed, plain = raw(config(cutout=True, cutout_length=6))[0], raw(config())[0]
    holes = (changed != plain).any(1)
    assert (changed.transpose(0, 2, 3, 1)[holes] == 0).all()
    assert (holes.sum((1, 2)) <= 36).all()
    assert holes.any((1, 2)).all()


def test_smoothed_labels():
    _, hard = raw(config())
    _, soft = raw(config(label_smoothing=True))
    np.testing.assert_allclose(soft, np.where(np.eye(5)[hard.astype(int)] > 0, 0.92, 0.02), rtol=1e-5)


def test_mixup_blends_images_and_labels_alike():
    data, hard = raw(config())
    mixed, soft = raw(config(mixup=True, mixup_alpha=1.0))
    onehot = np.eye(5)[hard.astype(int)]
    other = onehot != onehot[::-1]
    lam = (soft - onehot[::-1])[other] / (onehot - onehot[::-1])[other]
    np.testing.assert_allclose(lam, lam[0], atol=1e-5)
    assert 0 < lam[0] < 1
    np.testing.assert_allclose(mixed, lam[0] * data + (1 - lam[0]) * data[::-1], atol=1e-4)


def test_mixup_ends_with_the_last_epochs():
    train = build(config(mixup=True, mixup_alpha=1.0, mixup_off_epoch=2), seed=1).train
    for epoch, mixes in ((7, True), (8, False), (9, False)):
        _, label = first(train, epoch, 10)
        assert label.shape == (10, 5)
        assert (label.max(1) < 1).any() == mixes
    assert (first(train, 9)[1].max(1) < 1).any()


def test_everything_on_is_the_same_with_workers():
    cfg = config(crop_padding=4, flip=True, cutout=True, mixup=True, label_smoothing=True)
    runs = []
    for workers in (0, 2):
        train = build(cfg.replace(num_workers=workers), seed=9).train
        runs.append([part.asnumpy().tobytes() for batch in train.epoch(3, 10) for part in batch])
    assert runs[0] == runs[1]


def test_arrays_are_checked_and_read_only():
    images, labels = np.zeros((2, 4, 4, 3), np.uint8), np.zeros(2, np.int32)
    with pytest.raises(ValueError, match="read-only"):
        ArraySet(images, labels).images[0] = 1
    for wrong in ((images.astype(np.float32), labels), (images[..., 0], labels), (images, labels[:1])):
        with pytest.raises(ValueError, match="not "):
            ArraySet(*wrong)
