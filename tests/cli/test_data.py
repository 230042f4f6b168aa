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


def test_the_files_are_named_after_the_folder(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "out").mkdir()
    for place, words, prefix in (
        (folder, ["."], folder),
        (folder / "cat", [".."], folder),
        (tmp_path, ["./train"], "train"),
        (tmp_path, ["~/train"], folder),
        (tmp_path, ["train", "--output", "~/set"], tmp_path / "set"),
        (tmp_path, ["train", "--output", "out/"], "out/train"),
        (folder, [".", "--output", ".."], "../train"),
        (tmp_path, ["train", "--output", "."], "train"),
    ):
        monkeypatch.chdir(place)
        assert main(["data", "pack", *words]) == 0
        assert capsys.readouterr().out == f"9 images in {prefix}.rec, with {prefix}.idx and {prefix}.lst\n"
        (place / f"{prefix}.rec").unlink()
    assert sorted(path.name for path in folder.iterdir()) == sorted(CLASSES)


def test_the_root_folder_has_no_name(refused):
    refused(["data", "pack", "/"], "/ has no name: name the files with --output")


def test_classes_without_images_and_others_than_in_training_are_one_line(folder, tmp_path, refused, capsys):
    assert main(["data", "pack", str(folder)]) == 0
    (folder / "fox").mkdir()
    capsys.readouterr()
    refused(["data", "pack", str(folder)], f"class fox of {folder} has no images")
    draw_folder(tmp_path / "val", 9)
    (tmp_path / "val/cat").rename(tmp_path / "val/fox")
    refused(["data", "pack", str(tmp_path / "val")], "choose another folder with --output")


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


def test_class_names_that_are_no_text_are_printed_and_drawn(tmp_path, capsys):
    for seed, part in enumerate(("train", "val")):
        draw_folder(tmp_path / part, 12, seed)
        (tmp_path / part / "cat").rename(tmp_path / part / "c\udce4t")
        (tmp_path / part / "dog").rename(tmp_path / part / "$5_$6")  # a formula to matplotlib
    truncate(sorted((tmp_path / "train/c\udce4t").iterdir())[0])
    run, names = tmp_path / "run", ["$5_$6", r"c\xe4t", "eel"]
    common = ["--input-size", "32", "-b", "6", "-j", "1", "--model", "atac_cifar_resnet", "--blocks", "1",
              "--act-type", "relu", "--num-epochs", "1", "--max-bad-images", "0.5"]  # fmt: skip
    assert main(["train", "--dataset", "imagenet_folder", "--data-dir", str(tmp_path), *common,
                 "--run-dir", str(run)]) == 0  # fmt: skip
    assert json.loads((run / "card.json").read_text())["class_names"] == names
    assert r"train/c\xe4t/" in (run / "log.txt").read_text(encoding="utf-8")

    for part in ("train", "val"):
        assert main(["data", "pack", str(tmp_path / part)]) == 0
    found = evaluated(capsys, run, "--rec-val", tmp_path / "val.rec", "--per-class",
                      "--confusion", tmp_path / "confusion.png")  # fmt: skip
    assert sorted(row["class"] for row in found["classes"]) == names
    assert (tmp_path / "confusion.png").stat().st_size > 1000
    assert main(["report", str(run), str(run), "--output", str(tmp_path / "report.html")]) == 0
    image = sorted((tmp_path / "val/c\udce4t").iterdir())[0]
    capsys.readouterr()
    assert main(["predict", str(image), "--model", str(run)]) == 0
    said = capsys.readouterr().out
    assert r"val/c\xe4t/" in said
    assert all(name in said for name in names)
