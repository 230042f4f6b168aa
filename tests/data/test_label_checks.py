"""Labels of records are looked at before the first epoch."""

import pytest
from photographs import draw_folder, write_records
from record_batches import config, epoch

from gluon_attn.data import label_checks
from gluon_attn.data.factory import build, build_test
from gluon_attn.utils.errors import UserError


@pytest.fixture
def records(tmp_path):
    """Writes train.rec and val.rec with images of the given labels, and no lists."""
    images = [path.read_bytes() for path in draw_folder(tmp_path / "drawn", 12)]

    def write(train, val):
        for name, labels in (("train", train), ("val", val)):
            write_records(tmp_path / name, images[: len(labels)], labels)
        return tmp_path

    return write


@pytest.mark.parametrize("part", ["train", "val"])
def test_a_label_outside_the_classes_is_found_before_the_first_epoch(records, part):
    labels = {"train": [0, 1, 1, 0], "val": [0, 1], part: [0, 1, 2, 0]}
    root = records(**labels)
    message = rf"{part}.rec record 2 has label 2, but there are 2 classes, counted from 0: set option classes"
    with pytest.raises(UserError, match=message):
        build(config(root, classes=2), 1)


def test_where_a_list_names_the_classes_to_set_their_number_is_no_way_out(records):
    root = records([0, 1, 1, 0], [0, 1, 2])
    (root / "train.lst").write_text("0\t0\tcat/1.jpg\n1\t1\tdog/1.jpg\n")
    with pytest.raises(UserError, match=r"label 2, but .*train\.lst names 2 \(cat, dog\); pack both folders") as error:
        build(config(root), 1)
    assert "option" not in str(error.value)


def test_many_training_records_are_not_looked_at(records, monkeypatch):
    root = records([0, 1, 2, 0], [0, 1])
    monkeypatch.setattr(label_checks, "_MOST", 3)
    train = build(config(root, classes=2, batch_size=4), 1).train
    with pytest.raises(UserError, match=r"train.rec record 2 has label 2, but there are 2 classes"):
        epoch(train)


def test_evaluation_looks_at_what_it_evaluates(records):
    root = records([0], [0, 2])
    (root / "train.rec").unlink()
    with pytest.raises(UserError, match=r"val.rec record 1 has label 2"):
        epoch(build_test(config(root, classes=2), 1)[1])


@pytest.mark.parametrize(
    ("train", "val", "classes", "said"),
    [
        ([0, 1, 2], [0, 1, 2], 3, None),
        ([0, 1, 2], [0, 1, 2], None, "1000 are assumed, labels go from 0 to 2; option classes sets their number"),
        ([0, 0, 0], [0], None, "1000 are assumed, labels go from 0 to 0"),
        ([1, 2, 3], [1, 2], 4, "go from 1 to 3: there are 4 classes, and 0 of them has no images"),
        ([1, 2, 3], [1, 2], None, "go from 1 to 3: there are 1000 classes"),
        ([0, 1, 2], [1, 1], 3, "all test images are of class 1"),
        ([0, 0, 0], [0, 0], 2, None),
    ],
)
def test_what_is_assumed_is_said(records, caplog, train, val, classes, said):
    build(config(records(train, val), classes=classes), 1)
    assert len(caplog.messages) == (said is not None)
    assert (said or "") in caplog.text


def test_labels_from_1_with_as_many_classes(records):
    with pytest.raises(UserError, match=r"labels of .*train\.rec go from 1 to 3, but 3 classes are"):
        build(config(records([1, 2, 3], [1, 2]), classes=3), 1)


def test_held_out_images_take_the_place_of_test_records(records):
    root = records([0, 1, 0, 1], [5])
    (root / "val.rec").unlink()
    assert len(epoch(build(config(root, classes=2, hold_out=1, batch_size=1), 1).val)) == 2
