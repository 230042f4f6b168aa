"""Lists of images, and which files of a folder are the training and the test images."""

import shutil

import numpy as np
import pytest
from photographs import CLASSES, draw_folder, draw_set, write_records

from gluon_attn.config.data import DataConfig
from gluon_attn.data.factory import build, open_dataset
from gluon_attn.data.image_list import read_listing
from gluon_attn.utils.errors import UserError


def config(root, **options):
    given = {"input_size": 32, "batch_size": 6, "num_workers": 0, **options}
    return DataConfig(dataset="imagenet_folder", data_dir=str(root), **given)


def batches(loader):
    return [part.asnumpy() for batch in loader.epoch(1) for part in batch]


@pytest.fixture
def root(tmp_path):
    """Folders, records and their lists."""
    return draw_set(tmp_path / "photos", train=15, val=6)


def csv(root, part, head="path,label\n", write="{part}/{file},{label}\n"):
    """A CSV list beside the folder `part`."""
    files = sorted((root / part).glob("*/*"))
    rows = [(str(path.relative_to(root / part)), path.parent.name) for path in files]
    text = head + "".join(write.format(part=part, file=file, label=label) for file, label in rows)
    (root / f"{part}.csv").write_text(text, encoding="utf-8")
    return root / f"{part}.csv"


@pytest.mark.parametrize(
    ("head", "write"),
    [
        ("path,label\n", "{part}/{file},{label}\n"),
        ("", "{part}/{file},{label}\n"),
        ("\ufeffid;target;width\n", "{part}/{file};{label};40\n"),
        ("label,filename\n", '{label},"{part}/{file}"\r\n'),
        ("image\tclass\n", "{file}\t{label}\n"),
        ("one,other\n", "{file},{label}\n"),
    ],
)
def test_a_csv_list_gives_what_the_folders_give(root, tmp_path, head, write):
    """With and without a first row, with other delimiters and columns, paths from the list's folder or from train/."""
    lists = [csv(root, part, head, write) for part in ("train", "val")]
    folders = build(config(root), 3)
    listed = build(config(lists[0]), 3)
    assert listed.class_names == CLASSES
    for one, other in ((folders.train, listed.train), (folders.val, listed.val)):
        for a, b in zip(batches(one), batches(other), strict=True):
            np.testing.assert_array_equal(a, b)


def test_lst_files_name_the_same_images(root, tmp_path):
    """Those of `data pack`, and the same in another folder, named one by one."""
    folders = build(config(root), 3)
    assert build(config(root / "train.lst"), 3).class_names == CLASSES
    shutil.copy(root / "val.lst", root / "fold.lst")
    (root / "val").rename(root / "fold")
    listed = build(config(root / "train.lst", val_list=str(root / "fold.lst")), 3)
    (root / "fold").rename(root / "val")
    assert len(listed.val._images) == 6
    for a, b in zip(batches(folders.train), batches(listed.train), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_folder_of_lists_is_enough(root):
    """As Kaggle's: images without class folders in train/, and a list beside it."""
    for part in ("train", "val"):
        csv(root, part, write="{part}/{label}-{part}.jpg,{label}\n".replace("{part}.jpg", "{file}"))
        rows = []
        for path in sorted((root / part).glob("*/*")):
            name = f"{path.parent.name}-{path.name}"
            path.rename(root / part / name)
            rows.append(f"{name},{name[:3]}")
        for folder in CLASSES:
            (root / part / folder).rmdir()
        (root / f"{part}.csv").write_text("\n".join(rows))
    source = open_dataset(config(root), 1)
    assert (len(source.train), len(source.val), source.class_names) == (15, 6, CLASSES)


def test_labels_that_are_numbers_are_in_their_order(tmp_path):
    files = draw_folder(tmp_path, 12)
    numbers = {"cat": "10.0", "dog": "9.0", "eel": "100.0"}
    rows = [f"{number}\t{numbers[path.parent.name]}\t{path.name}" for number, path in enumerate(files)]
    for path in files:
        path.rename(tmp_path / path.name)
    (tmp_path / "all.lst").write_text("\n".join(rows))
    source = open_dataset(config(tmp_path / "all.lst", val_share=0.25), 1)
    assert source.class_names == ("9", "10", "100")  # without folders there are no names


def test_an_image_that_is_missing_is_left_out(root):
    path, _ = csv(root, "train"), csv(root, "val")
    path.write_text(path.read_text() + "train/none.jpg,cat\n")
    train = build(config(path, max_bad_images=0.1, batch_size=16), 1).train
    assert sum(len(label) for _, label in train.epoch(0)) == 15
    assert len(train._images) == 16


def test_images_in_both_lists_and_twice_in_one_are_told(root, caplog):
    train = csv(root, "train")
    train.write_text(train.read_text() + train.read_text().splitlines()[1] + "\n")
    (root / "val.csv").write_text(train.read_text())
    open_dataset(config(train), 1)
    assert "names 1 images more than once: they count once" in caplog.text
    assert "15 of the 15 test images in" in caplog.text


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.csv", "path,label\n", "names no images"),
        ("a.csv", "x.jpg,cat\ny.jpg\n", "a.csv, line 2: expected lines of path,label"),
        ("a.csv", "a,b,c\nx.jpg,cat,1\n", "a.csv has columns a, b, c: call two of them path and label"),
        ("a.csv", "x.jpg,cat\nx.jpg,dog\n", "gives x.jpg two classes, cat and dog"),
        ("a.csv", "x.jpg,cat\n", "a.csv names x.jpg, which is neither in"),
        ("a.lst", "0\t1\t2\tx.jpg\n", "a.lst, line 1: an image has 2 labels, here it has one class"),
        ("a.lst", "0 1 x.jpg\n", "a.lst, line 1: expected lines of path,label"),
        ("a.lst", "0\tcat\tx.jpg\n", "a.lst, line 1: expected"),
    ],
)
def test_what_is_no_list_is_one_line(tmp_path, name, text, line):
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError) as error:
        read_listing(tmp_path / name)
    assert line in str(error.value)


def test_a_class_of_the_test_images_alone(root):
    train = csv(root, "train")
    (root / "val.csv").write_text("val/cat/000.jpg,ant\n" if (root / "val/cat/000.jpg").exists() else "")
    (root / "val.csv").write_text(f"{next((root / 'val').glob('*/*')).relative_to(root)},ant\n")
    with pytest.raises(UserError, match=r"val\.csv has class ant, which the training images have not"):
        open_dataset(config(train), 1)


def flat(root):
    return root / "train"


def without_val(root):
    shutil.rmtree(root / "val")
    (root / "val.lst").unlink()
    return root


def above(root):
    return root.parent


def records(root):
    for part in ("train", "val"):
        shutil.rmtree(root / part)
        (root / f"{part}.lst").unlink()
    return root


def one_list(root):
    path = csv(root, "train")
    (root / "val.lst").unlink()
    return path


def other_lists(root):
    csv(root, "train").rename(root / "fold1.csv")
    for name in ("train", "val"):
        (root / name).rename(root.parent / name)
    for path in [*root.glob("*.lst"), *root.glob("*.rec"), *root.glob("*.idx")]:
        path.unlink()
    return root


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (flat, "holds class folders (cat, dog, eel), not train and val: option val_share 0.2 tests on a fifth of the"),
        (without_val, "has training images (train) and no test images: add "),
        (above, "has no folders train and val, photos in it has: name "),
        (records, "holds records: read them with option use_rec"),
        (one_list, "train.csv lists the training images: name the test images with option val_list, or option val_sh"),
        (other_lists, "or name one of its lists, such as "),
        (lambda root: root / "none", "no such folder; name the folder with the images"),
        (lambda root: root / "none.csv", "no such file; name the list of the training images"),
    ],
)
def test_what_is_needed_is_said(root, change, line):
    with pytest.raises(UserError) as error:
        open_dataset(config(change(root)), 1)
    assert line in str(error.value)


@pytest.mark.parametrize("name", ["valid", "validation", "test"])
def test_other_names_of_the_test_images(root, name):
    (root / "val").rename(root / name)
    (root / "val.lst").unlink()
    assert len(open_dataset(config(root), 1).val) == 6


def test_classes_one_folder_further_down_are_told(root):
    with pytest.raises(UserError, match=r"images one folder deeper, .*one folder further down: move them up"):
        build(config(root, val_share=0.2).replace(data_dir=str(nested(root, 2))), 1)
    with pytest.raises(
        UserError, match=r"one folder further down than class folders \(group0/cat/.*name .*/group0, or"
    ):
        build(config(nested(root, 1)), 1)
    with pytest.raises(UserError, match=r"one folder further down: name .*/nested1/group0, or move them up"):
        build(config(root, val_share=0.2).replace(data_dir=str(nested(root, 1))), 1)


def nested(root, groups):
    folder = root.parent / f"nested{groups}"
    for number in range(groups):
        draw_folder(folder / f"group{number}", 6)
    return folder


def drawn(source):
    """Paths of the test images."""
    return {source.val.images.files.name(int(number)) for number in source.val.indices}


@pytest.mark.parametrize("form", ["folder", "list", "records"])
def test_a_stratified_split_of_any_form(root, form):
    (root / "val.rec").unlink()
    where = {"folder": root / "train", "list": csv(root, "train"), "records": root / "train.rec"}[form]
    shutil.rmtree(root / "val")
    source = open_dataset(config(where, val_share=0.4), 1)
    assert source.name == ("imagenet_rec" if form == "records" else "imagenet_folder")
    assert np.bincount(source.val.labels).tolist() == [2, 2, 2]
    assert np.bincount(source.train.labels).tolist() == [3, 3, 3]
    assert not set(source.val.indices) & set(source.train.indices)
    assert source.class_names == CLASSES
    same, other = (open_dataset(config(where, val_share=0.4, **more), 7) for more in ({}, {"val_seed": 5}))
    assert drawn(source) == drawn(same) != drawn(other)  # the run's seed leaves it as it is
    once, again = (source.val.take([0, 1], np.random.default_rng(seed))[0] for seed in (1, 2))
    assert np.array_equal(once, again)  # cropped as test images: nothing random
    assert len(list(build(config(where, val_share=0.4), 1).train.epoch(0))) == 1


def test_what_cannot_be_split_is_said(root):
    for path in (root / "train", *root.glob("train.*")):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(UserError, match="holds records: read them with option use_rec"):
        open_dataset(config(root, val_share=0.2), 1)
    for path in root.glob("val.*"):
        path.unlink()
    with pytest.raises(UserError, match=r"holds no class folders: expected .*/train/CLASS/NAME\.jpg"):
        open_dataset(config(root, val_share=0.2), 1)
    with pytest.raises(UserError, match="no such folder; name the folder with the images"):
        open_dataset(config(root / "none", val_share=0.2), 1)


def test_test_images_that_are_not_used_are_told(root, caplog):
    assert len(open_dataset(config(root, val_share=0.2), 1).val) == 3
    assert f"test images are split off {root}/train; {root}/val is not used" in caplog.text


def test_records_without_test_records(root):
    (root / "val.rec").unlink()
    given = {"dataset": "imagenet_rec", "data_dir": str(root), "input_size": 32}
    with pytest.raises(UserError, match=r"cannot read .*val\.rec: .* rec_val, or split them off .* val_share 0\.2"):
        build(DataConfig(**given), 1)


def test_labels_of_split_records_are_looked_at(tmp_path):
    data = [path.read_bytes() for path in draw_folder(tmp_path / "images", 9)]
    write_records(tmp_path / "train", data, [0, 1, 2] * 3)
    given = DataConfig(dataset="imagenet_rec", rec_train=str(tmp_path / "train.rec"), val_share=0.3, classes=2)
    with pytest.raises(UserError, match="has label 2, but there are 2 classes"):
        build(given, 1)
