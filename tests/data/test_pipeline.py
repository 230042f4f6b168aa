"""What happens to a batch: which option changes the images of training, and what targets look like."""

import numpy as np
import pytest
from synthetic_batches import config, first

from gluon_attn.data.factory import build, open_dataset


def raw(cfg):
    """(images, labels) of the first training batch."""
    return first(build(cfg, seed=1).train)


def test_validation_is_normalised_and_nothing_else():
    cfg = config(crop_padding=4, flip=True, cutout=True, mixup=True, label_smoothing=True)
    source = open_dataset(cfg, seed=1)
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
    source = open_dataset(config(), seed=1)
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
