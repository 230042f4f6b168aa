"""Images that cannot be read: left out of their batches, reported, and when they end the run."""

import logging

import pytest
from photographs import offsets, overwrite, write_records
from record_batches import MIXED, PLAIN, config, epoch, images_of

from gluon_attn.data.factory import build
from gluon_attn.utils.errors import TrainingError, UserError


def spoil(root, part, number):
    """Overwrite the magic number of a record."""
    overwrite(root / f"{part}.rec", offsets(root / part)[number], b"XXXX")


@pytest.mark.usefixtures("whole_images")
def test_broken_records_are_left_out_and_told_of_once_an_epoch(root, caplog):
    cfg = config(root, max_bad_images=0.1, **PLAIN)
    whole = set(images_of(epoch(build(cfg, 1).train)))
    spoil(root, "train", 5)
    train = build(cfg, 1).train
    for number in range(2):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            left = images_of(epoch(train, number))
        (record,) = caplog.records
        assert record.getMessage().startswith(
            f"1 of 24 training images of epoch {number} cannot be read and were left out: "
        )
        assert "train.rec record 5: no record begins at byte" in record.getMessage()
        assert len(left) == len(set(left)) == 23
        assert set(left) < whole


def test_a_broken_test_image_is_left_out_too(root, caplog):
    spoil(root, "val", 0)
    val = build(config(root, max_bad_images=0.1), 1).val
    assert sum(len(labels) for _, labels in epoch(val)) == 9
    assert "1 of 10 test images" in caplog.text


def test_a_batch_without_any_image_is_passed_over(root):
    for number in (0, 1):
        spoil(root, "val", number)
    val = build(config(root, max_bad_images=0.5, batch_size=2), 1).val
    assert [len(labels) for _, labels in epoch(val)] == [2, 2, 2, 2]


def test_too_many_broken_images_end_the_run(root):
    spoil(root, "train", 3)
    with pytest.raises(TrainingError, match=r"more than 0.01 of 24 training images of epoch 0 .*train.rec record 3:"):
        epoch(build(config(root), 1).train)


def test_several_processes_do_not_wait_for_an_empty_batch(root):
    for number in range(24):
        if number not in (0, 23):
            spoil(root, "train", number)
    with pytest.raises(TrainingError, match="no image of a batch can be read in epoch 0"):
        epoch(build(config(root, batch_size=1, max_bad_images=1.0), 1, rank=1, size=2).train)
    assert len(epoch(build(config(root, batch_size=1, max_bad_images=1.0), 1).train)) == 2


def test_broken_images_change_nothing_with_workers(root, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(4)))
    spoil(root, "train", 3)
    spoil(root, "train", 11)
    cfg = config(root, max_bad_images=0.2, **MIXED)
    runs = [images_of(epoch(build(cfg.replace(num_workers=workers), 1).train)) for workers in (0, 3)]
    assert runs[0] == runs[1]
    assert len(runs[0]) == 22


def test_a_wrong_index_is_found_before_training(root):
    (root / "train.idx").write_text((root / "val.idx").read_text())
    with pytest.raises(UserError, match=r"train.idx does not (fit|name all records of) .*train.rec"):
        build(config(root), 1)


def test_an_index_with_wrong_places_ends_the_run(root):
    places = offsets(root / "train")
    wrong = [place if number in (0, len(places) - 1) else place + 4 for number, place in enumerate(places)]
    (root / "train.idx").write_text("".join(f"{number}\t{place}\n" for number, place in enumerate(wrong)))
    with pytest.raises(TrainingError, match=r"train.rec record \d+: no record begins at byte"):
        epoch(build(config(root), 1).train)


def test_records_of_something_else_end_the_run(tmp_path):
    for part in ("train", "val"):
        write_records(tmp_path / part, [b"text"] * 8, [0] * 8)
    with pytest.raises(TrainingError, match="not an image file of a known format"):
        epoch(build(config(tmp_path), 1).train)
