"""`gluon-attn predict`, as a user calls it."""

import json

import numpy as np
import pytest
from networks import digits, digits_run
from PIL import Image

from gluon_attn.cli import main
from gluon_attn.data.image_file import read_image
from gluon_attn.utils.errors import UserError

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return digits_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    assert main(["export", str(run), "--format", "symbol", "onnx", "--output", str(folder / "plain")]) == 0
    assert main(["export", str(run), "--format", "onnx", "--preprocess", "--output", str(folder / "raw")]) == 0
    return folder


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


def test_images_are_read_as_the_network_wants_them(tmp_path):
    halves = np.zeros((4, 6, 3), np.uint8)
    halves[:, 3:] = (10, 20, 30)
    Image.fromarray(halves).save(tmp_path / "rgb.png")
    assert np.array_equal(read_image(tmp_path / "rgb.png", 4, 6), halves)
    assert read_image(tmp_path / "rgb.png", 8, 2).shape == (8, 2, 3)
    Image.fromarray(halves[..., 0]).save(tmp_path / "grey.png")
    assert np.array_equal(read_image(tmp_path / "grey.png", 4, 6), halves[..., :1].repeat(3, axis=2))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    Image.fromarray(halves).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "turned.png", 6, 4), np.rot90(halves, -1))


def test_a_cut_image_is_named(tmp_path, picture):
    (tmp_path / "cut.png").write_bytes(picture.read_bytes()[:150])
    with pytest.raises(UserError, match=r"image .*cut\.png cannot be read"):
        read_image(tmp_path / "cut.png", 4, 4)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["predict", "PICTURE"], "the following arguments are required: --model"),
        (["predict", "none.png", "--model", "RUN"], "image none.png does not exist"),
        (["predict", "PICTURE", "CARD", "--model", "RUN"], "card.json cannot be read: cannot identify image file"),
        (["predict", "PICTURE", "--model", "RUN", "--top", "0"], "must be a whole number above 0"),
    ],
)
def test_errors_are_one_line(run, picture, capsys, argv, message):
    names = {"RUN": run, "PICTURE": picture, "CARD": run / "card.json"}
    assert main([str(names.get(word, word)) for word in argv]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1
