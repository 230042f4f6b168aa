"""`gluon-attn inspect`, as a user calls it."""

import contextlib
import io
import json
import os
import re

import numpy as np
import pytest
from networks import digits, network, write_run
from PIL import Image

from gluon_attn.cli import main
from gluon_attn.runs.inspect import inspect
from gluon_attn.runs.inspection import balanced


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "a digit.png"
    Image.fromarray(digits().val.images[0]).resize((70, 50)).save(path)
    return path


@pytest.fixture(scope="module")
def gated(tmp_path_factory):
    """The run folder of an untrained network with channel and spatial gates."""
    net, card = network(attention="cbam")
    source = digits()
    card = card.replace(dataset="digits", class_names=source.class_names, mean=source.mean, std=source.std)
    return write_run(tmp_path_factory.mktemp("runs") / "gated", net, card)


@pytest.fixture(scope="module")
def found(gated, picture, tmp_path_factory):
    """The folder of an inspection of one image and of 40 images of the digits."""
    folder = tmp_path_factory.mktemp("found") / "gated"
    words = ["--dataset", "digits", "--images", "40", "--class", "7", "--top", "2", "--output", str(folder)]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert main(["inspect", str(gated), str(picture), *words]) == 0
    (folder.parent / "said.txt").write_text(said.getvalue())
    return folder


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_writes_pictures_a_page_and_json(found):
    pictures = {"images/a_digit.png", "class_gates.png", "class_maps.png", "class_share.png"}
    assert files(found) == {"index.html", "inspect.json", *pictures}
    for name in pictures:
        with Image.open(found / name) as image:
            assert image.format == "PNG"
            assert np.asarray(image.convert("L")).std() > 5
    assert files(found.parent) == {"said.txt", *(f"gated/{name}" for name in files(found))}


def test_the_json_holds_the_gates_of_the_image(found, gated, picture):
    plain = json.loads((found / "inspect.json").read_text())
    (one,) = plain["images"]
    assert (plain["version"], plain["gates"], one["image"]) == (1, 18, str(picture))
    assert one["sheet"] == "images/a_digit.png"
    assert one["grad_cam_class"] == "7"
    assert len(one["classes"]) == 2
    cam = np.array(one["grad_cam"])
    assert cam.shape == (8, 8)
    assert cam.min() >= 0
    assert cam.max() in (0, 1)
    assert [gate["kind"] for gate in one["gates"]] == ["channel", "spatial"] * 9
    assert [gate["stage"] for gate in one["gates"][::6]] == ["stage 1", "stage 2", "stage 3"]
    assert [len(gate["channels"]) for gate in one["gates"][::6]] == [16, 32, 64]
    assert [np.shape(gate["map"]) for gate in one["gates"][1::6]] == [(32, 32), (16, 16), (8, 8)]
    for gate in one["gates"]:
        assert 0 < gate["min"] <= gate["mean"] <= gate["max"] < 1


def test_the_json_holds_the_statistics(found):
    plain = json.loads((found / "inspect.json").read_text())["dataset"]
    assert (plain["name"], plain["images"], len(plain["gates"])) == ("digits", 40, 18)
    for gate in plain["gates"]:
        assert set(gate["classes"]) == set("0123456789")
        assert {one["images"] for one in gate["classes"].values()} == {4}
        mean = np.mean([one["mean"] for one in gate["classes"].values()])
        assert mean == pytest.approx(gate["mean"], rel=1e-5)
        assert mean == pytest.approx(np.mean(gate["factors"]), abs=1e-3)
        assert gate["class_share"] is None or 0 <= gate["class_share"] <= 1
    assert any(gate["class_share"] for gate in plain["gates"])


def test_the_page_needs_nothing_else(found):
    page = (found / "index.html").read_text()
    assert page.count("<h1>") == 1
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert "<script" not in page
    assert page.count('role="img"') == 4
    assert len(set(re.findall(r'aria-label="([^"]+)"', page))) == 7
    for words in ("most probable classes", "Mean factor of each channel", "features", "stage 3, block 1, post"):
        assert words in page


def test_prints_classes_statistics_and_the_page(found, picture):
    lines = (found.parent / "said.txt").read_text().splitlines()
    assert re.fullmatch(r".*: \d [\d.]+%, \d [\d.]+%", lines[0])
    assert lines[0].startswith(f"{picture}: ")
    assert [line.split()[:4] for line in lines[2:4]] == [
        ["stage", "1", "channel", "3"], ["stage", "1", "spatial", "3"]
    ]  # fmt: skip
    assert lines[-2].startswith("The class explains ")
    assert lines[-1] == f"pictures and tables: {found / 'index.html'}"


def test_the_default_folder_is_replaced(gated, picture, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert main(["inspect", str(gated), str(picture)]) == 0
        assert capsys.readouterr().out.endswith("pictures and tables: inspect/gated/index.html\n")
        assert files(tmp_path / "inspect" / "gated") == {"index.html", "inspect.json", "images/a_digit.png"}
        (tmp_path / "inspect/gated/more.txt").touch()


def test_a_published_network_and_images_of_one_name(picture, tmp_path):
    twin = tmp_path / "A digit.PNG"
    Image.open(picture).save(twin)
    result = inspect("digits_resnet20_sge", [picture, twin], tmp_path / "out", class_name=3)
    assert result.gates == 9
    assert [look.cam_class for look in result.looks.values()] == ["3", "3"]
    assert files(tmp_path / "out") == {"index.html", "inspect.json", "images/a_digit.png", "images/A_digit-2.png"}
    first, second = result.looks.values()
    for (_, one), (_, other) in zip(first.gates, second.gates, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_network_without_gates_has_grad_cam_only(run, picture, tmp_path, capsys):
    assert main(["inspect", str(run), str(picture), "--dataset", "digits", "--output", str(tmp_path / "out")]) == 0
    assert f"{run} has no gates: no attention in it multiplies" in capsys.readouterr().out
    plain = json.loads((tmp_path / "out/inspect.json").read_text())
    assert (plain["gates"], plain["dataset"], plain["images"][0]["gates"]) == (0, None, [])
    assert len(plain["images"][0]["grad_cam"]) == 8
    assert "has no gates" in (tmp_path / "out/index.html").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["RUN"], "name images, or a data set with --dataset"),
        (["RUN", "none.png"], "image none.png does not exist"),
        (["RUN", "CARD"], "card.json cannot be read: not an image file"),
        (["RUN", "PICTURE", "--class", "zebra"], "the network has no class 'zebra'; it has 10, such as 0, 1, 2"),
        (["RUN", "PICTURE", "--class", "10"], "the network has no class '10'"),
        (["RUN", "--dataset", "digits"], "has no gates to take statistics of: leave --dataset out"),
        (["RUN", "PICTURE", "--dataset", "digitz"], "unknown dataset 'digitz'"),
        (["RUN", "PICTURE", "--data-dir", "x"], "--data-dir needs --dataset"),
        (["RUN", "PICTURE", "--output", "FULL"], "holds other files, no earlier inspection"),
        (["RUN", "PICTURE", "--output", "CARD"], "is not a folder"),
        (["RUN", "PICTURE", "--images", "0"], "must be a whole number above 0"),
        (["CARD", "PICTURE"], "is no run folder; an exported file does not record its gates"),
        (["none", "PICTURE"], "none does not exist; name a run folder or a published network"),
        (["digits_resnet20_sg", "PICTURE"], "did you mean"),
        (["cifar_resnet20_v1", "PICTURE"], "is a model without weights; name a run folder"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(run, picture, refused, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    names = {"RUN": run, "PICTURE": picture, "CARD": run / "card.json", "FULL": "full"}
    refused(["inspect", *(str(names.get(word, word)) for word in words)], message)
    assert files(tmp_path) == {"full/thesis.txt"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(run, picture, refused, tmp_path):
    tmp_path.chmod(0o500)
    refused(["inspect", str(run), str(picture), "--output", str(tmp_path / "out")], "permission denied")
    tmp_path.chmod(0o700)


def test_an_error_while_writing_leaves_nothing(gated, picture, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gluon_attn.runs.pages.inspection.write_json", fail)
    assert main(["inspect", str(gated), str(picture), "--output", str(tmp_path / "out")]) == 2
    assert list(tmp_path.iterdir()) == []


def test_images_are_shared_out_among_the_classes():
    labels = np.array([0, 0, 0, 0, 1, 1, -1, 2, 0])
    assert balanced(labels, 3).tolist() == [0, 4, 7]
    assert balanced(labels, 6).tolist() == [0, 1, 2, 4, 5, 7]
    assert balanced(labels, 100).tolist() == [0, 1, 2, 3, 4, 5, 7, 8]
