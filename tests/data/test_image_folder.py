"""Class folders to batches."""

import numpy as np
import pytest
from image_files import lossless, lossy
from photographs import CLASSES, draw_folder, draw_set, truncate

from gluon_attn.config.data import DataConfig
from gluon_attn.data.factory import build, open_dataset
from gluon_attn.data.image_folder import ImageFolder
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


def test_hidden_files_and_what_archivers_leave_are_no_classes(root, caplog):
    for name in (".cache", "__MACOSX", "@eaDir", "lost+found"):
        (root / "train" / name / "cat").mkdir(parents=True)
    for folder in ("train/cat", "train/__MACOSX", "val"):
        (root / folder / ".hidden.jpg").write_text("")
        (root / folder / "._001.jpg").write_text("")
    source = open_dataset(config(root), 1)
    assert (len(source.train), len(source.val), source.class_names) == (24, 10, CLASSES)
    assert caplog.text == ""


def test_what_is_passed_over_is_counted_in_one_warning(root, caplog):
    """Beside other files: links that lead nowhere or in a circle, folders in a class, images beside the classes."""
    cat = root / "train/cat"
    for name in ("a.txt", "b.txt", "c.TXT", "d.json", "README"):
        (cat / name).write_text("")
    for name, target in (("gone.jpg", "/nowhere/x.jpg"), ("gone", "/nowhere"), ("round.png", cat / "round.png")):
        (cat / name).symlink_to(target)
    (cat / "deeper").mkdir()
    (root / "train/fox").symlink_to("/nowhere/fox")
    (root / "train/loose.jpg").write_text("")
    source = open_dataset(config(root), 1)
    assert (len(source.train), len(source.val), source.classes) == (24, 10, 3)
    (message,) = caplog.messages
    assert message.startswith(f"{root}/train: 4 dangling links, 3 .txt files, ")
    assert " passed over, as images are CLASS/NAME.jpg (or .jpeg, .png, .bmp, .webp, .tif, .tiff, .gif)" in message
    len(source.train)
    assert len(caplog.messages) == 1


def test_links_to_images_and_classes_are_followed(root, tmp_path, caplog):
    (root / "train/cat").rename(tmp_path / "elsewhere")
    (root / "train/cat").symlink_to(tmp_path / "elsewhere")
    first = sorted((root / "train/dog").iterdir())[0]
    first.rename(tmp_path / "moved.jpg")
    first.symlink_to(tmp_path / "moved.jpg")
    assert len(open_dataset(config(root), 1).train) == 24
    assert caplog.text == ""


def test_every_format_that_is_decoded_is_found(root):
    """In any case of its ending."""
    for name, (data, _) in {**lossless(), **lossy()}.items():
        stem, _, ending = name.rpartition(".")
        (root / "train/cat" / f"{stem}.{ending.upper()}").write_bytes(data)
    loaders = build(config(root, batch_size=1, max_bad_images=0.0), 1)
    assert len(list(loaders.train.epoch(0))) == 24 + len(lossless()) + len(lossy())


def empty(root):
    return root / "train/cat"


def others(root):
    for number in range(12):
        (root / f"train/cat/{number}.txt").write_text("")
    for name in ("a", "b"):
        (root / f"train/cat/{name}").mkdir()
    (root / "train/cat/x.jpg").symlink_to("/nowhere")


def deeper(root):
    draw_folder(root / "train/cat", 3)


@pytest.mark.parametrize(
    ("fill", "held"),
    [
        (empty, ": it holds nothing; add images"),
        (others, "it holds 12 .txt files, 2 folders, 1 dangling link"),
        (deeper, "it holds 3 folders and images one folder deeper, such as cat/cat/001.JPEG; move them up"),
    ],
)
def test_a_class_without_images_is_named_with_what_it_holds(root, fill, held):
    for path in (root / "train/cat").iterdir():
        path.unlink()
    fill(root)
    with pytest.raises(UserError) as error:
        build(config(root), 1)
    assert f"class cat of {root}/train has no images (.jpg, .jpeg, .png" in str(error.value)
    assert held in str(error.value)


def test_several_classes_without_images(root):
    for path in (*(root / "val/cat").iterdir(), *(root / "val/dog").iterdir()):
        path.unlink()
    with pytest.raises(UserError, match=r"class cat of .*val has no images .* 1 more classes have none either"):
        build(config(root), 1)


def test_a_folder_above_the_classes(root):
    """What `data pack` gets where train and val were meant one after the other."""
    with pytest.raises(UserError, match=r"holds no images: .* class train holds 3 folders and images one"):
        len(ImageFolder(root))


def test_names_that_are_no_text(root, caplog):
    for part in ("train", "val"):
        (root / part / "cat").rename(root / part / "c\udce4t")
    (root / "train/c\udce4t/notes.t\udcfft").write_text("")
    truncate(sorted((root / "train/c\udce4t").glob("*.jpg"))[0])
    source = open_dataset(config(root), 1)
    assert source.class_names == (r"c\xe4t", "dog", "eel")
    _, _, errors = source.train.take(range(24), np.random.default_rng(1))
    assert len(errors) == 1
    "".join([*errors, *caplog.messages, *source.class_names]).encode("utf-8")


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
    draw_folder(root / "train/fox", 1)
    with pytest.raises(UserError, match=r"hold other classes: fox is in one only"):
        build(config(root), 1)


@pytest.mark.parametrize(
    ("remove", "reason"),
    [
        ("val/*/*", "val holds no images"),
        ("val/*", r"has training images \(train\) and no test images: add .*/val/CLASS/NAME.jpg, or option"),
        ("val", r"has training images \(train\) and no test images"),
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
