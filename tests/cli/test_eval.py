"""What `gluon-attn eval` measures beyond one number, on photographs of any size and on networks by name."""

import json
import shutil

import mxnet as mx
import numpy as np
import pytest
from networks import digits, digits_run, network, settle, write_run
from photographs import CLASSES, draw_set
from PIL import Image

import gluon_attn
from gluon_attn.cli import main
from gluon_attn.config.card import Card
from gluon_attn.config.files import write_yaml
from gluon_attn.config.train import RunConfig
from gluon_attn.deploy import predictor


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return digits_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return draw_set(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def photo_run(tmp_path_factory, photos):
    """A run that was trained on class folders of photographs at 32 pixels."""
    net, card = network("atac_cifar_resnet", 3, blocks=1, act_type="relu", input_size=32)
    card = card.replace(dataset="imagenet_folder", class_names=CLASSES)
    folder = write_run(tmp_path_factory.mktemp("runs") / "run", net, card)
    data = {"dataset": "imagenet_folder", "data_dir": str(photos), "input_size": 32}
    write_yaml(folder / "config.yaml", RunConfig.from_dict({"data": data}))
    return folder


def found(capsys, *argv):
    """The JSON object that `gluon-attn eval` prints."""
    assert main(["eval", *map(str, argv), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_classes_and_the_picture_say_what_was_predicted(run, tmp_path, capsys):
    picture, file = tmp_path / "new/confusion.png", tmp_path / "new/found.json"
    printed = found(capsys, run, "--per-class", "--confusion", picture, "--output", file)
    assert json.loads(file.read_text()) == printed
    source = digits().val
    guesses = predictor.load(run).predict(source.images).argmax(axis=1)
    rows = {row["class"]: row for row in printed["classes"]}
    for number in range(10):
        own = guesses[source.labels == number]
        counts = np.bincount(own[own != number], minlength=10)
        row = rows[str(number)]
        assert row["images"] == len(own)
        assert row["accuracy"] == pytest.approx((own == number).mean())
        most = row["mistaken_for"] or {"class": number, "images": 0}  # random weights may get a whole class right
        assert most["images"] == counts.max() == counts[int(most["class"])]
    shares = [row["accuracy"] for row in printed["classes"]]
    assert shares == sorted(shares)
    with Image.open(picture) as image:
        assert image.format == "PNG"


def test_the_classes_for_people(run, capsys):
    assert main(["eval", str(run), "--per-class"]) == 0
    lines = capsys.readouterr().out.splitlines()
    head = next(number for number, line in enumerate(lines) if line.startswith("class "))
    assert lines[head].split("  ")[0] == "class"
    assert len(lines) - head - 1 == 10
    assert "%" in lines[-1]


def test_photographs_at_another_size_and_crop(photo_run, capsys):
    plain = found(capsys, photo_run)
    assert (plain["images"], plain["input_size"]) == (10, 32)
    assert "crop_ratio" not in plain
    assert "top5" not in plain  # of three classes
    other = found(capsys, photo_run, "--input-size", "40", "--crop-ratio", "1")
    assert (other["images"], other["input_size"], other["crop_ratio"]) == (10, 40, 1.0)


def test_the_crop_reaches_the_images(photo_run, monkeypatch, capsys):
    seen = []
    monkeypatch.setattr(
        "gluon_attn.deploy.evaluate.evaluate_predictor", lambda loaded, test, size: seen.append(test) or 1 / 0
    )
    for flags in ([], ["--crop-ratio", "0.5"], ["--input-size", "16"]):
        with pytest.raises(ZeroDivisionError):
            main(["eval", str(photo_run), *flags])
    plain, cropped, small = (one.take([0], None)[0] for one in seen)
    assert plain.shape == cropped.shape == (1, 32, 32, 3)
    assert (plain != cropped).any()
    assert small.shape == (1, 16, 16, 3)


def test_records_for_a_run_on_folders(photo_run, photos, tmp_path, capsys):
    whole = found(capsys, photo_run)
    records = found(capsys, photo_run, "--rec-val", photos / "val.rec")
    assert records["dataset"] == "imagenet_rec"
    assert [records[key] for key in ("images", "correct")] == [whole[key] for key in ("images", "correct")]
    for end in (".rec", ".idx"):  # without the list that names the classes
        (tmp_path / f"val{end}").write_bytes((photos / f"val{end}").read_bytes())
    assert found(capsys, photo_run, "--rec-val", tmp_path / "val.rec")["correct"] == whole["correct"]


def test_a_folder_that_was_moved_has_the_split_of_the_run(photo_run, photos, tmp_path, capsys):
    """None of the images that the run was trained on is evaluated."""
    shutil.copytree(photo_run, tmp_path / "run")
    data = {"dataset": "imagenet_folder", "data_dir": str(photos / "train"), "input_size": 32, "val_share": 0.25}
    write_yaml(tmp_path / "run/config.yaml", RunConfig.from_dict({"data": data}))
    before = found(capsys, tmp_path / "run")
    shutil.copytree(photos / "train", tmp_path / "moved")
    after = found(capsys, tmp_path / "run", "--data-dir", tmp_path / "moved")
    assert [after[key] for key in ("images", "correct")] == [before[key] for key in ("images", "correct")]
    assert after["images"] < len(list((photos / "train").glob("*/*")))


def test_other_records_have_their_own_index(photo_run, photos, tmp_path, capsys):
    folder = tmp_path / "run"
    shutil.copytree(photo_run, folder)
    (tmp_path / "own.idx").write_text("")
    data = {"dataset": "imagenet_rec", "rec_val": "own.rec", "rec_val_idx": str(tmp_path / "own.idx"), "input_size": 32}
    write_yaml(folder / "config.yaml", RunConfig.from_dict({"data": data}))
    for flags in (["--rec-val", photos / "val.rec"], ["--data-dir", photos]):
        assert found(capsys, folder, *flags)["images"] == 10


@pytest.mark.parametrize("flag", ["--output", "--confusion"])
def test_what_cannot_be_written_shows_before_the_work(run, tmp_path, monkeypatch, capsys, flag):
    monkeypatch.setattr("gluon_attn.deploy.predictor.load", lambda *target: 1 / 0)
    (tmp_path / "file").write_text("")
    assert main(["eval", str(run), flag, str(tmp_path / "file" / "found.png")]) == 2
    assert "cannot write to " in capsys.readouterr().err


def test_a_model_with_a_parameter_file(photos, tmp_path, capsys):
    net = gluon_attn.get_model("resnet18_v1b", 3, input_size=32)
    net.initialize()
    settle(net, mx.nd.random.normal(shape=(4, 3, 32, 32)))
    gluon_attn.save_params(net, tmp_path / "net.params")
    flags = ("resnet18_v1b", "--params", tmp_path / "net.params", "--rec-val", photos / "val.rec")
    result = found(capsys, *flags, "--input-size", "48")
    assert (result["kind"], result["images"], result["input_size"]) == ("params", 10, 48)
    card = Card(**{**net.recipe, "options": {"input_size": 48}}, class_names=CLASSES, input_shape=(3, 48, 48))
    write_run(tmp_path / "run", net, card)
    assert found(capsys, tmp_path / "run", "--rec-val", photos / "val.rec")["correct"] == result["correct"]


def test_the_export_of_a_run_on_photographs_is_checked_with_them(photo_run, tmp_path, capsys):
    assert main(["export", str(photo_run), "--output", str(tmp_path)]) == 0
    assert "agrees with the trained network on 10 images" in capsys.readouterr().out


def test_errors_are_one_line(run, photo_run, photos, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    gluon_attn.save_params(network("atac_cifar_resnet", 3, blocks=1)[0], tmp_path / "other.params")
    records, params = ["--rec-val", photos / "val.rec"], ["--params", tmp_path / "other.params"]
    cases = [
        ([run, "--input-size", "40"], "--input-size has no effect on digits"),
        ([run, "--input-size", "7"], "must be at least 8, got 7"),
        ([run, "--crop-ratio", "0.5"], "--crop-ratio has no effect on digits"),
        ([run, "--crop-ratio", "2"], "must be a number from 0.1 to 1, got '2'"),
        ([run, "--confusion", "picture.jpg"], "must end in .png, got 'picture.jpg'"),
        ([run, "--output", tmp_path / "file" / "found.json"], "cannot write to "),
        ([run, *records], "imagenet_rec has 3 classes of 3x32x32 images; the network takes 10"),
        ([photo_run, "--rec-val", tmp_path / "no.rec"], "no.rec: No such file or directory"),
        (["resnet18_v1b", *records], "resnet18_v1b is a model without weights: name its parameter file with --params"),
        (["resnet18_v1b", *params], "name the images to evaluate on: --rec-val, or --dataset"),
        (["resnet18_v1b", *params, *records], "other.params is of another network"),
        (["resnet18v1b", *params, *records], "unknown model 'resnet18v1b'"),
    ]
    for argv, message in cases:
        assert main(["eval", *map(str, argv)]) == 2, argv
        captured = capsys.readouterr()
        assert captured.out == ""
        assert message in captured.err
        assert captured.err.count("\n") == 1
