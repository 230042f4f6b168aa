"""`gluon-attn predict`, as a user calls it."""

import json
from pathlib import Path

import numpy as np
import pytest
from networks import digits
from PIL import Image

from gluon_attn.cli import main

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "digit.png"
    Image.fromarray(digits().val.images[0]).resize((70, 50)).save(path)
    return path


def test_predict_names_the_classes(run, exported, picture, capsys):
    answers = []
    for target in (run, exported / "plain/run-symbol.json", exported / "raw/run.onnx"):
        assert main(["predict", str(picture), "--model", str(target), "--top", "10", "--json"]) == 0
        (answer,) = json.loads(capsys.readouterr().out)
        assert answer["image"] == str(picture)
        answers.append(answer["classes"])
    shares = [item["probability"] for item in answers[0]]
    assert {item["class"] for item in answers[0]} == set("0123456789")
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)
    for other in answers[1:]:
        assert [item["class"] for item in other] == [item["class"] for item in answers[0]]
    assert main(["predict", str(picture), str(picture), "--model", str(run), "--top", "1"]) == 0
    best = f"{picture}: {answers[0][0]['class']} {shares[0]:.1%}\n"
    assert capsys.readouterr().out == best * 2


def test_a_picture_shows_the_classes(run, exported, picture, tmp_path, capsys):
    def pixels(*words):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.png"
        assert main(["predict", *words, "--picture", str(path)]) == 0
        with Image.open(path) as image:
            assert image.format == "PNG"
            return np.asarray(image)

    one = pixels(str(picture), "--model", str(run), "--top", "3")
    assert (pixels(str(picture), "--model", str(exported / "plain/run.onnx"), "--top", "3") == one).all()
    two = pixels(str(picture), str(picture), "--model", str(run), "--top", "3")
    assert two.shape == (2 * one.shape[0], *one.shape[1:])
    assert (pixels(str(picture), "--model", str(run), "--top", "2") != one).any()


def test_the_readmes_command_finds_the_digits(capsys):
    folder = Path(__file__).resolve().parents[2] / "examples/digits"
    assert main(["predict", str(folder), "--model", "digits_resnet20_eca", "--top", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [Path(line.split(":")[0]).stem for line in lines] == list("0123456789")
    assert [line.split()[1] for line in lines] == list("0123456789")


def test_more_images_than_are_in_memory_at_once(run, picture, monkeypatch, capsys):
    words = ["predict", *[str(picture)] * 5, "--model", str(run), "--json"]
    assert main(words) == 0
    whole = json.loads(capsys.readouterr().out)
    monkeypatch.setattr("gluon_attn.runs.predict.BATCH", 2)
    assert main(words) == 0
    parts = json.loads(capsys.readouterr().out)
    assert [one["image"] for one in parts] == [str(picture)] * 5
    for one, other in zip(whole, parts, strict=True):
        assert [item["class"] for item in one["classes"]] == [item["class"] for item in other["classes"]]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["predict", "PICTURE"], "the following arguments are required: --model"),
        (["predict", "none.png", "--model", "RUN"], "image none.png does not exist"),
        (["predict", "none*.png", "--model", "RUN"], "no image fits none*.png"),
        (["predict", "PICTURE", "CARD", "--model", "RUN"], "card.json cannot be read: not an image file"),
        (["predict", "PICTURE", "--model", "RUN", "--picture", "a.jpg"], "must end in .png"),
        (["predict", "PICTURE", "--model", "RUN", "--picture", "CARD/a.png"], "cannot write to"),
        (["predict", "PICTURE", "--model", "RUN", "--top", "0"], "must be a whole number above 0"),
    ],
)
def test_errors_are_one_line(run, picture, refused, argv, message):
    names = {"RUN": run, "PICTURE": picture, "CARD": run / "card.json"}
    refused([str(names.get(word, word.replace("CARD", str(names["CARD"])))) for word in argv], message)
