"""Class folders to batches."""

import numpy as np
import pytest
from photographs import CLASSES, draw_set, truncate

from gluon_attn.config.data import DataConfig
from gluon_attn.data.factory import build, open_dataset
from gluon_attn.utils.errors import TrainingError, UserError


@pytest.fixture
def root(tmp_path):
    return draw_set(tmp_path)


def config(root, dataset="imagenet_folder", **options):
    given = {"input_size": 32, "batch_size": 6, "num_workers": 2, **options}
    return DataConfig(dataset=dataset, data_dir=str(root), **given)


def test_it_gives_what_the_records_of_the_same_images_give(root):
    folder, records = (build(config(root, name), 7) for name in ("imagenet_folder", "imagenet_rec"))
    assert (folder.classes, folder.class_names, folder.name) == (3, CLASSES, "imagenet_folder")
    for loaders in ((folder.train, records.train), (folder.val, records.val)):
        for one, other in zip(*(loader.epoch(2) for loader in loaders), strict=True):
            for a, b in zip(one, other, strict=True):
                np.testing.assert_array_equal(a.asnumpy(), b.asnumpy())


def test_small_photographs_are_cut_from_the_whole_ones(root):
    small = build(config(root, input_size=24, progressive_size=(12,)), seed=1).train.epoch(0, 2)
    whole = build(config(root, input_size=24), seed=1).train.epoch(0, 2)
    for (data, label), (large, same) in zip(small, whole, strict=True):
        assert (data.shape[2:], large.shape[2:]) == ((12, 12), (24, 24))
        assert (label == same).min().asscalar() == 1
        halved = large.reshape((0, 0, 12, 2, 12, 2)).mean(axis=(3, 5))
        assert (data - halved).abs().mean().asscalar() < 0.5 * (data[::-1] - halved).abs().mean().asscalar()


def test_other_files_and_hidden_folders_are_no_images(root):
    (root / "train/cat/notes.txt").write_text("a cat")
    (root / "train/cat/.hidden.jpg").write_text("")
    (root / "train/.cache").mkdir()
    (root / "train/list.txt").write_text("")
    source = open_dataset(config(root), 1)
    assert (len(source.train), source.classes) == (24, 3)


def test_a_truncated_image_is_left_out(root, caplog):
    path = sorted(root.glob("train/*/*"))[4]
    truncate(path)
    train = build(config(root, max_bad_images=0.1), 1).train
    assert sum(len(label) for _, label in train.epoch(0)) == 23
    assert f"1 of 24 training images of epoch 0 cannot be read and were left out: {path}: not" in caplog.text
    with pytest.raises(TrainingError, match=f"more than 0.01 of 24 training images .*{path}"):
        list(build(config(root), 1).train.epoch(0))


def test_an_image_that_went_away_is_left_out(root, caplog):
    train = build(config(root, max_bad_images=0.1), 1).train
    sorted(root.glob("train/*/*"))[0].unlink()
    assert sum(len(label) for _, label in train.epoch(0)) == 23
    assert "No such file" in caplog.text


def test_train_and_val_have_the_same_classes(root):
    (root / "train/fox").mkdir()
    with pytest.raises(UserError, match=r"hold other classes: fox is in one only"):
        build(config(root), 1)


@pytest.mark.parametrize(
    ("remove", "reason"),
    [
        ("val/*/*", "val holds no images"),
        ("val/*", "val holds no class folders"),
        ("val", "cannot read .*val: No"),
    ],
)
def test_missing_folders(root, remove, reason):
    for pattern in ("val/*/*", "val/*", "val"):
        for path in root.glob(pattern):
            path.rmdir() if path.is_dir() else path.unlink()
        if pattern == remove:
            break
    with pytest.raises(UserError, match=reason):
        build(config(root), 1)
