"""Class folders to record files, which MXNet's readers read as ours do."""

import shutil

import cv2
import mxnet as mx
import numpy as np
import pytest
from mxnet import recordio
from photographs import CLASSES, draw_folder, truncate

from gluon_attn.config.data import DataConfig
from gluon_attn.data import write_records
from gluon_attn.data.decode import decode
from gluon_attn.data.factory import open_dataset
from gluon_attn.data.records import RecordFile, framed
from gluon_attn.data.write_records import pack
from gluon_attn.utils import progress, rename
from gluon_attn.utils.errors import UserError


@pytest.fixture
def folder(tmp_path):
    draw_folder(tmp_path / "set", 11)
    return tmp_path / "set"


def files(folder):
    return sorted(folder.glob("*/*"))


def test_files_are_packed_as_they_are(folder, tmp_path):
    assert pack(folder, tmp_path / "out/all", workers=2) == (11, [])
    records = RecordFile(tmp_path / "out/all.rec")
    for number, path in enumerate(files(folder)):
        assert records.read(number) == (path.read_bytes(), CLASSES.index(path.parent.name))
    lines = (tmp_path / "out/all.lst").read_text().splitlines()
    assert lines == [
        f"{number}\t{CLASSES.index(path.parent.name)}\t{path.relative_to(folder)}"
        for number, path in enumerate(files(folder))
    ]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["all.idx", "all.lst", "all.rec"]


def test_mxnets_readers_read_them(folder, tmp_path):
    pack(folder, tmp_path / "all")
    reader = recordio.MXIndexedRecordIO(str(tmp_path / "all.idx"), str(tmp_path / "all.rec"), "r")
    header, image = recordio.unpack_img(reader.read_idx(7), cv2.IMREAD_COLOR)
    path = files(folder)[7]
    assert header.label == CLASSES.index(path.parent.name)
    np.testing.assert_array_equal(image[..., ::-1], decode(path.read_bytes()))
    reader.close()
    batches = mx.io.ImageRecordIter(
        path_imgrec=str(tmp_path / "all.rec"), path_imgidx=str(tmp_path / "all.idx"), data_shape=(3, 32, 32),
        batch_size=11, preprocess_threads=1,
    )  # fmt: skip
    labels = next(iter(batches)).label[0].asnumpy().tolist()
    assert labels == [CLASSES.index(path.parent.name) for path in files(folder)]


def test_any_number_of_workers_writes_the_same(folder, tmp_path):
    for workers in (0, 2):
        pack(folder, tmp_path / str(workers), resize=30, workers=workers)
    for ending in ("rec", "idx", "lst"):
        assert (tmp_path / f"0.{ending}").read_bytes() == (tmp_path / f"2.{ending}").read_bytes()


def test_larger_images_are_scaled_to_the_shorter_side(folder, tmp_path):
    pack(folder, tmp_path / "small", resize=42, quality=90)
    records = RecordFile(tmp_path / "small.rec")
    for number, path in enumerate(files(folder)):
        before, data = decode(path.read_bytes()), records.read(number)[0]
        after = decode(data)
        if min(before.shape[:2]) <= 42:
            assert data == path.read_bytes()
            continue
        assert min(after.shape[:2]) == 42
        assert abs(after.shape[1] / after.shape[0] - before.shape[1] / before.shape[0]) < 0.03
        assert abs(after.mean((0, 1)) - before.mean((0, 1))).max() < 3  # colours keep their order


def test_quality_sets_the_size(folder, tmp_path):
    sizes = []
    for quality in (20, 95):
        pack(folder, tmp_path / "small", resize=30, quality=quality)
        sizes.append((tmp_path / "small.rec").stat().st_size)
    assert sizes[0] < 0.8 * sizes[1]


def test_bad_images_are_left_out_and_named(folder, tmp_path):
    bad = files(folder)[3]
    truncate(bad)
    count, complaints = pack(folder, tmp_path / "all")
    assert (count, complaints) == (10, [f"{bad}: not a whole JPEG file"])
    assert len(RecordFile(tmp_path / "all.rec")) == 10
    assert bad.name not in (tmp_path / "all.lst").read_text()


def test_a_missing_folder_leaves_nothing_behind(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*none"):
        pack(tmp_path / "none", tmp_path / "out/all")
    assert not (tmp_path / "out").exists()


def test_names_that_are_no_text(folder, tmp_path):
    (folder / "cat").rename(folder / "c\udce4t")
    for part in ("train", "val"):
        assert pack(folder, tmp_path / part)[0] == 11
    assert b"\tc\xe4t/" in (tmp_path / "val.lst").read_bytes()
    source = open_dataset(DataConfig(dataset="imagenet_rec", data_dir=str(tmp_path)), 1)
    assert source.class_names == (r"c\xe4t", "dog", "eel")


def test_test_images_are_numbered_by_the_list_of_the_training_images(folder, tmp_path):
    pack(folder, tmp_path / "out/train")
    shutil.rmtree(folder / "cat")
    for prefix, label in (("val", 1), ("validation", 1), ("test", 1), ("other", 0), ("train", 0)):
        pack(folder, tmp_path / "out" / prefix)
        assert RecordFile(tmp_path / f"out/{prefix}.rec").label(0) == label
        assert (tmp_path / f"out/{prefix}.lst").read_text().startswith(f"0\t{label}\tdog/")


def test_a_class_that_was_not_trained_is_an_error(folder, tmp_path):
    pack(folder, tmp_path / "train")
    (folder / "dog").rename(folder / "fox")
    with pytest.raises(UserError, match=r"set has class fox, which the training images in .*train\.lst lack"):
        pack(folder, tmp_path / "val")
    assert not list(tmp_path.glob("val*"))


def test_a_list_without_class_folders_numbers_nothing(folder, tmp_path, caplog):
    (tmp_path / "train.lst").write_text("0\t0\ta.jpg\n1\t1\tb.jpg\n")
    pack(folder, tmp_path / "val")
    assert "train.lst does not name its classes" in caplog.text


@pytest.mark.parametrize("name", ["a\tb.jpg", "a\nb.jpg", "a\rb.jpg"])
def test_names_that_a_list_cannot_hold(folder, tmp_path, name):
    files(folder)[0].rename(folder / "cat" / name)
    count, (error,) = pack(folder, tmp_path / "all")
    assert count == 10
    assert "a list of images has no place for the tab or line break in its name" in error
    assert "\n" not in error


def test_names_with_other_line_breaks(folder, tmp_path):
    (folder / "cat").rename(folder / "c\x85a\u2028t")
    for part in ("train", "val"):
        pack(folder, tmp_path / part)
    source = open_dataset(DataConfig(dataset="imagenet_rec", data_dir=str(tmp_path)), 1)
    assert source.class_names == ("c\\x85a\u2028t", "dog", "eel")


def test_an_image_too_long_for_jpeg_is_left_out(folder, tmp_path):
    cv2.imwrite(str(folder / "cat/long.png"), np.zeros((8, 80_000), np.uint8))
    cv2.imwrite(str(folder / "cat/row.png"), np.zeros((1, 70_000), np.uint8))  # not resized
    count, (error,) = pack(folder, tmp_path / "all", resize=7)
    assert count == 12
    assert error.endswith("long.png: resized it has 70000x7 pixels, and a JPEG file at most 65500 a side")


def test_nothing_but_bad_images(folder, tmp_path):
    for path in files(folder):
        truncate(path)
    with pytest.raises(UserError, match=r"no image in .* can be read"):
        pack(folder, tmp_path / "out/all")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), UserError("stop"), OSError(28, "no space")])
def test_files_are_whole_or_not_there(folder, tmp_path, monkeypatch, error):
    pack(folder, tmp_path / "out/all")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    draw_folder(folder, 20, seed=1)
    numbers = iter(range(20))

    def fail(data):
        if next(numbers) == 5:
            raise error
        return framed(data)

    monkeypatch.setattr(write_records, "framed", fail)
    full = isinstance(error, OSError)
    message = r"write .*all.rec: no space; the old file is unchanged" if full else None
    with pytest.raises(UserError if full else type(error), match=message):
        pack(folder, tmp_path / "out/all")
    assert not progress._open  # although the error is kept, with its variables
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_the_three_files_are_replaced_together(folder, tmp_path, monkeypatch):
    pack(folder, tmp_path / "all")
    before = {path.name: path.read_bytes() for path in tmp_path.glob("all.*")}
    draw_folder(folder, 20, seed=1)
    move = rename._move

    def fail(staged, target):
        if target.suffix == ".lst":
            raise OSError(5, "Input/output error")
        return move(staged, target)

    monkeypatch.setattr(rename, "_move", fail)
    with pytest.raises(UserError, match="Input/output error"):
        pack(folder, tmp_path / "all")
    assert {path.name: path.read_bytes() for path in tmp_path.glob("all.*")} == before


MAGIC = bytes.fromhex("0a23d7ce")


def test_records_have_the_bytes_of_mxnets_own(tmp_path):
    data = [
        b"",
        b"abc",
        MAGIC,
        MAGIC * 3,
        b"abcd" + MAGIC + b"efgh",
        b"ab" + MAGIC + b"ab" + MAGIC,
        bytes(1000),
        b"abcd" + MAGIC,
    ]
    writer = recordio.MXRecordIO(str(tmp_path / "theirs.rec"), "w")
    for record in data:
        writer.write(record)
    writer.close()
    assert b"".join(map(framed, data)) == (tmp_path / "theirs.rec").read_bytes()
