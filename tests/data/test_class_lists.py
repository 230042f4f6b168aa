"""Lists beside records: which classes there are, and whether training and test records mean the same by them."""

import pytest
from photographs import draw_folder
from record_batches import config, epoch

from gluon_attn.data.class_lists import read_class_list, record_classes, train_list_beside
from gluon_attn.data.factory import build, open_dataset
from gluon_attn.data.write_records import pack
from gluon_attn.utils.errors import UserError


def write(path, classes):
    """A list with two images of each class, given as label -> folder."""
    rows = [f"{2 * label + i}\t{label}\t{name}/{i}.jpg\n" for label, name in classes.items() for i in range(2)]
    path.write_text("".join(rows))
    return path


def classes(tmp_path, train=None, val=None, count=None):
    for name, given in (("train", train), ("val", val)):
        if given is not None:
            write(tmp_path / f"{name}.lst", given)
    return record_classes(tmp_path / "train.lst", tmp_path / "val.lst", count)


@pytest.mark.parametrize(
    ("train", "val", "count", "names"),
    [
        ({0: "cat", 1: "dog"}, {0: "cat", 1: "dog"}, None, ("cat", "dog")),
        ({0: "cat", 1: "dog"}, {1: "dog"}, None, ("cat", "dog")),
        ({0: "cat", 1: "dog"}, None, None, ("cat", "dog")),
        (None, {0: "cat", 1: "dog"}, None, ("cat", "dog")),
        ({0: "cat", 1: "dog"}, None, 3, ("cat", "dog", "2")),
        ({0: "train/cat", 1: "train/dog"}, {0: "cat"}, 2, ("cat", "dog")),
        ({0: "b", 1: "a"}, {1: "a", 0: "b"}, None, ("b", "a")),
        (None, None, 2, ("0", "1")),
        (None, {0: "cat", 2: "dog"}, 3, ("0", "1", "2")),  # test images may lack classes
        ({0: ".", 1: "."}, {0: "cat", 1: "dog"}, None, ("cat", "dog")),
    ],
)
def test_names(tmp_path, caplog, train, val, count, names):
    assert classes(tmp_path, train, val, count).names == names
    assert caplog.text == ""


def test_nothing_tells_the_classes(tmp_path):
    assert classes(tmp_path).names == tuple(map(str, range(1000)))


@pytest.mark.parametrize(
    ("train", "val", "reason"),
    [
        ({0: "cat", 1: "dog"}, {0: "cat", 1: "fox"}, r"fox is in .*val\.lst only"),
        ({0: "cat", 1: "dog"}, {0: "ant", 1: "bee", 2: "cow"}, r"ant, bee, cow is in .*val\.lst only"),
        ({0: "cat", 1: "dog", 2: "eel"}, {0: "cat", 1: "eel"}, r"eel is 2 in .*train\.lst and 1 in .*val\.lst"),
        ({0: "cat", 1: "dog"}, {1: "cat", 2: "dog"}, r"cat is 0 in .*train\.lst and 1 in .*val\.lst"),
    ],
)
@pytest.mark.parametrize("count", [None, 3, 9])
def test_lists_that_do_not_agree_are_an_error_with_any_number_of_classes(tmp_path, train, val, reason, count):
    with pytest.raises(UserError, match=f"training and test records have other classes: {reason}; pack both") as error:
        classes(tmp_path, train, val, count)
    assert "option classes" not in str(error.value)


def test_fewer_classes_than_a_list_names(tmp_path):
    with pytest.raises(UserError, match=r"option classes is 2, but .*train\.lst names 3 \(cat, dog, eel\): leave it"):
        classes(tmp_path, {0: "cat", 1: "dog", 2: "eel"}, None, 2)


def test_lists_that_count_from_one_or_leave_numbers_out(tmp_path, caplog):
    assert classes(tmp_path, {1: "cat", 2: "dog"}, {2: "dog"}).names == ("0", "cat", "dog")
    assert "train.lst are not 0, 1, 2 ...: 3 classes are assumed, some of which have no images" in caplog.text
    caplog.clear()
    names = classes(tmp_path, {0: "cat", 7: "dog"}, {7: "dog"}).names
    assert (len(names), names[:2], names[7]) == (1000, ("cat", "1"), "dog")
    assert "1000 classes are assumed" in caplog.text


@pytest.mark.parametrize(
    "text", ["", "0\t0\ta.jpg\n1\t1\tb.jpg\n", "0\t0\ta/1.jpg\n1\t0\tb/2.jpg\n", "0\t0\ta/1.jpg\n1\t1\ta/2.jpg\n",
             "0\t-1\ta/1.jpg\n"]
)  # fmt: skip
def test_a_list_that_does_not_name_the_classes(tmp_path, text):
    (tmp_path / "val.lst").write_text(text)
    assert read_class_list(tmp_path / "val.lst").names == {}
    assert classes(tmp_path, count=3).names == ("0", "1", "2")


@pytest.mark.parametrize("text", ["cat\n", "0\tcat\ta/1.jpg\n", "0\tinf\ta/1.jpg\n"])
@pytest.mark.parametrize("name", ["train", "val"])
def test_a_list_that_is_none(root, text, name):
    (root / f"{name}.lst").write_text(text)
    with pytest.raises(UserError, match=rf"{name}\.lst is not a list of images"):
        open_dataset(config(root), 1)


def test_names_that_are_no_text(tmp_path):
    (tmp_path / "train.lst").write_bytes(b"0\t0\tc\xe4t/1.jpg\r\n1\t1\tdog/1.jpg\r\n")
    assert classes(tmp_path).names == (r"c\xe4t", "dog")


def test_the_list_beside_test_records(tmp_path):
    for name in ("train", "my-train", "train_256"):
        write(tmp_path / f"{name}.lst", {0: "cat"})
    found = {name: train_list_beside(tmp_path / name) for name in ("val", "my-val", "test_256", "train", "all", "eval")}
    assert {name: path.stem for name, path in found.items() if path} == {
        "val": "train", "my-val": "my-train", "test_256": "train_256",
    }  # fmt: skip


def test_records_that_were_packed_apart(tmp_path):
    """train has cat, dog, eel, val has cat and eel: both count from 0."""
    for seed, part in enumerate(("train", "val")):
        draw_folder(tmp_path / part, 18, seed)
    (tmp_path / "val/dog").rename(tmp_path / "dog")
    pack(tmp_path / "train", tmp_path / "a/train")
    pack(tmp_path / "val", tmp_path / "b/val")
    apart = {"data_dir": None, "rec_train": str(tmp_path / "a/train.rec"), "rec_val": str(tmp_path / "b/val.rec")}
    with pytest.raises(UserError, match=r"eel is 2 in .*a/train\.lst and 1 in .*b/val\.lst"):
        open_dataset(config(tmp_path).replace(**apart), 1)
    pack(tmp_path / "val", tmp_path / "a/val")
    data = build(config(tmp_path / "a"), 1)
    assert data.class_names == ("cat", "dog", "eel")
    assert {int(label) for _, labels in epoch(data.val) for label in labels} == {0, 2}
