"""From records to batches: classes, shards, workers, augmentation."""

import itertools

import numpy as np
import pytest
from photographs import CLASSES
from record_batches import MIXED, PLAIN, config, epoch, images_of

from gluon_attn.config.data import DataConfig
from gluon_attn.data.crops import center_crop
from gluon_attn.data.decode import decode
from gluon_attn.data.factory import build, open_dataset
from gluon_attn.data.imagenet import MEAN, STD
from gluon_attn.data.records import RecordFile
from gluon_attn.utils.errors import UserError


def test_the_set(root):
    source = open_dataset(config(root), 1)
    assert (len(source.train), len(source.val)) == (24, 10)
    assert (source.class_names, source.classes, source.input_shape) == (CLASSES, 3, (3, 32, 32))
    assert (source.mean, source.std, source.flip, source.photographs) == (MEAN, STD, True, True)


def test_the_usual_size_is_224(root):
    assert open_dataset(config(root, input_size=None), 1).input_shape == (3, 224, 224)


def test_validation_is_the_center_crop_in_order(root):
    records = RecordFile(root / "val.rec")
    pairs = [records.read(number) for number in range(10)]
    batches = epoch(build(config(root, crop_ratio=0.8), 1).val)
    want = np.stack([center_crop(decode(data), 32, ratio=0.8) for data, _ in pairs]) / 255
    np.testing.assert_allclose(
        np.concatenate([data for data, _ in batches]), ((want - MEAN) / STD).transpose(0, 3, 1, 2), atol=1e-5
    )
    assert np.concatenate([labels for _, labels in batches]).tolist() == [label for _, label in pairs]


def test_gluoncvs_flags_name_the_files(root, tmp_path):
    moved = {}
    for part, ending in itertools.product(("train", "val"), ("rec", "idx")):
        moved[part, ending] = str((root / f"{part}.{ending}").rename(tmp_path / f"my-{part}.{ending}x"))
    cfg = DataConfig(
        dataset="imagenet_folder", use_rec=True, classes=3, input_size=32, batch_size=6, num_workers=0,
        rec_train=moved["train", "rec"], rec_train_idx=moved["train", "idx"],
        rec_val=moved["val", "rec"], rec_val_idx=moved["val", "idx"],
    )  # fmt: skip
    data = build(cfg, 1)
    assert (data.name, len(epoch(data.train)), len(epoch(data.val))) == ("imagenet_rec", 4, 2)


def test_the_files_are_opened_when_they_are_needed(root):
    """Evaluation does without the training set."""
    (root / "train.rec").unlink()
    source = open_dataset(config(root), 1)
    assert len(source.val) == 10
    with pytest.raises(UserError, match=r"cannot read .*train.rec"):
        build(config(root), 1)


def test_files_are_found_in_the_home_folder(root, monkeypatch):
    monkeypatch.setenv("HOME", str(root))
    named = {f"rec_{part}": f"~/{part}.rec" for part in ("train", "val")}
    indices = {f"rec_{part}_idx": f"~/{part}.idx" for part in ("train", "val")}
    for options in ({"data_dir": "~"}, named, {**named, **indices}):
        cfg = DataConfig(dataset="imagenet_rec", input_size=32, num_workers=0, **options)
        data = build(cfg, 1)
        assert (data.class_names, len(epoch(data.val))) == (CLASSES, 1)
    folder = open_dataset(DataConfig(dataset="imagenet_folder", data_dir="~"), 1)
    assert (len(folder.train), len(folder.val)) == (24, 10)


@pytest.mark.usefixtures("whole_images")
@pytest.mark.parametrize(("size", "batch"), [(2, 6), (2, 4), (3, 8), (4, 3)])
def test_processes_partition_an_epoch(root, size, batch):
    cfg = config(root, batch_size=batch, **PLAIN)
    everything = images_of(epoch(build(cfg.replace(batch_size=24), 1).train))
    assert len(set(everything)) == 24
    shares = [images_of(epoch(build(cfg, 1, rank=rank, size=size).train, 3)) for rank in range(size)]
    assert len({len(share) for share in shares}) == 1
    assert sorted(itertools.chain(*shares)) == sorted(everything)
    tests = [images_of(epoch(build(cfg, 1, rank=rank, size=size).val)) for rank in range(size)]
    assert sorted(itertools.chain(*tests)) == sorted(images_of(epoch(build(cfg, 1).val)))


@pytest.mark.parametrize("options", [{}, MIXED])
def test_workers_and_earlier_epochs_change_nothing(root, options, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(4)))
    runs = []
    for workers, before in ((0, 0), (2, 0), (4, 2)):
        train = build(config(root, num_workers=workers, **options), 5).train
        for earlier in range(before):
            epoch(train, earlier, 9)
        runs.append([part.tobytes() for batch in epoch(train, 3, 9) for part in batch])
    assert runs[0] == runs[1] == runs[2]
    assert runs[0] != [part.tobytes() for batch in epoch(train, 4, 9) for part in batch]


@pytest.mark.parametrize(
    "change",
    [{"color_jitter": 0.4}, {"pca_noise": 0.1}, {"rand_augment": (1, 20)}, {"random_erasing": 1.0}, {"cutmix": True},
     {"cutout": True}, {"flip": True}, {"aa": "rand-m9-p1"}, {"auto_aug": True}],
)  # fmt: skip
def test_each_option_changes_training_images(root, change):
    plain, changed = (epoch(build(config(root, **{**PLAIN, **more}), 1).train)[0][0] for more in ({}, change))
    assert (plain != changed).any()


def test_photographs_are_jittered_lit_and_mirrored_unless_told_otherwise(root):
    plain, default, named = (
        images_of(epoch(build(config(root, **options), 1).train))
        for options in (PLAIN, {}, {"flip": True, "color_jitter": 0.4, "pca_noise": 0.1})
    )
    assert plain != default == named


def test_with_mixup_and_cutmix_a_batch_gets_one_of_them(root):
    data = build(config(root, batch_size=2, mixup=True, cutmix=True, mixup_alpha=9.0, mixup_off_epoch=1, **PLAIN), 2)
    plain = build(config(root, batch_size=2, **PLAIN), 2)
    kinds = []
    for (mixed, soft), (images, _) in zip(epoch(data.train, 0, 2), epoch(plain.train), strict=True):
        assert soft.shape == (2, 3)
        kinds.append(((mixed == images) | (mixed == images[::-1])).all())  # cutmix: each pixel is of one image
    assert 2 <= sum(kinds) <= 10
    for (last, soft), (images, labels) in zip(epoch(data.train, 1, 2), epoch(plain.train, 1), strict=True):
        np.testing.assert_array_equal(last, images)
        np.testing.assert_array_equal(soft.argmax(1), labels)
