"""`gluon-attn data pack`."""

import json

import pytest
from photographs import CLASSES, draw_folder, truncate

from gluon_attn.cli import main, train_cifar
from gluon_attn.data.records import RecordFile


@pytest.fixture
def folder(tmp_path):
    draw_folder(tmp_path / "train", 9)
    return tmp_path / "train"


def test_the_files_stand_beside_the_folder_unless_told(folder, tmp_path, capsys):
    assert main(["data", "pack", f"{folder}/"]) == 0
    assert capsys.readouterr().out == f"9 images in {folder}.rec, with {folder}.idx and {folder}.lst\n"
    assert main(["data", "pack", str(folder), "--output", str(tmp_path / "rec/t"), "--resize", "20", "-j", "1"]) == 0
    assert len(RecordFile(folder.with_suffix(".rec"))) == len(RecordFile(tmp_path / "rec/t.rec")) == 9


def test_bad_images_are_reported(folder, capsys):
    bad = sorted(folder.glob("*/*"))[0]
    truncate(bad)
    assert main(["data", "pack", str(folder)]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("8 images in ")
    assert f"left out: {bad}: not a whole JPEG file" in captured.err
    assert "1 of 9 images cannot be read" in captured.err


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["--quality", "50"], "--quality has no effect without --resize"),
        (["--resize", "20", "--quality", "101"], "--quality must be from 1 to 100, got 101"),
        (["--resize", "0"], "must be a whole number above 0"),
        (["--outptu", "x"], "did you mean --output?"),
    ],
)
def test_mistakes_are_one_line(folder, capsys, more, line):
    assert main(["data", "pack", str(folder), *more]) == 2
    captured = capsys.readouterr()
    assert line in captured.err
    assert captured.err.count("\n") == 1
    assert not folder.with_suffix(".rec").exists()


@pytest.mark.parametrize("argv", [["data"], ["data", "unpack"], ["data", "pack"], ["data", "pack", "/nowhere"]])
def test_what_is_missing_is_named(capsys, argv):
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1


def evaluated(capsys, *arguments):
    """What `gluon-attn eval` prints as JSON."""
    capsys.readouterr()
    assert main(["eval", "--json", *map(str, arguments)]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_was_packed_is_trained_on_and_evaluated(tmp_path, capsys, caplog):
    for seed, part in enumerate(("train", "val")):
        draw_folder(tmp_path / part, 18, seed)
        assert main(["data", "pack", str(tmp_path / part)]) == 0
    run, moved = tmp_path / "run", tmp_path / "moved"
    assert train_cifar([
        "--dataset", "imagenet_folder", "--use-rec", "--rec-train", f"{tmp_path}/train.rec", "--rec-val",
        f"{tmp_path}/val.rec", "--input-size", "32", "-b", "6", "-j", "2", "--model", "atac_cifar_resnet",
        "--blocks", "1", "--act-type", "relu", "--num-epochs", "1", "--run-dir", str(run),
    ]) == 0  # fmt: skip
    card, record = (json.loads((run / name).read_text()) for name in ("card.json", "metrics.jsonl"))
    assert (card["dataset"], card["class_names"], card["input_shape"]) == ("imagenet_rec", [*CLASSES], [3, 32, 32])

    (tmp_path / "train.rec").unlink()  # evaluation does without
    results = [evaluated(capsys, run, "--dataset", "imagenet_folder", "--data-dir", tmp_path), evaluated(capsys, run)]
    moved.mkdir()
    for path in tmp_path.glob("val.*"):
        path.rename(moved / path.name)
    results.append(evaluated(capsys, run, "--data-dir", moved))
    assert {(result["images"], result["accuracy"]) for result in results} == {(18, record["val_accuracy"])}

    truncate(sorted(tmp_path.glob("val/*/*"))[2])
    assert evaluated(capsys, run, "--dataset", "imagenet_folder", "--data-dir", tmp_path)["images"] == 17
    assert "left out 1 images that cannot be read" in caplog.text
