"""`gluon-attn export` into deploy bundles, as a user calls it."""

import dataclasses
import json

import pytest
from networks import digits, digits_run, network
from photographs import draw_set

import gluon_attn
from gluon_attn.cli import main, train_imagenet
from gluon_attn.runs.export_sources import read_calibration_images
from gluon_attn.utils.errors import UserError

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return digits_run(tmp_path_factory.mktemp("runs") / "run")


def test_a_bundle_for_each_target(run, tmp_path, capsys):
    words = ["--format", "onnx", "openvino", "--precision", "float32", "float16", "--with-preprocessing"]
    servers = ["--repository", "ovms", "triton"]
    assert main(["export", str(run), *words, "--out", str(tmp_path), "--max-drop", "100", *servers]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = ["onnx-float32", "onnx-float16", "openvino-float32", "openvino-float16"]
    assert [line.split()[0] for line in lines[:4]] == names
    assert lines[4:] == [f"wrote {tmp_path}/repository-ovms", f"wrote {tmp_path}/repository-triton"]
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted([*names, "repository-ovms", "repository-triton"])
    card = json.loads((tmp_path / "onnx-float16" / "card.json").read_text())
    assert card["accuracy"]["dataset"] == "digits"
    assert card["accuracy"]["images"] == 359
    assert card["input"]["dtype"] == "uint8"
    assert main(["eval", str(tmp_path / "openvino-float32"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["images"]) == ("openvino", 359)


def test_what_only_bundles_have_goes_into_the_run(run, capsys):
    assert main(["export", str(run), "--format", "openvino"]) == 0
    assert f"{run}/export/openvino-float32: largest difference" in capsys.readouterr().out
    assert (run / "export" / "openvino-float32" / "run.xml").is_file()


def test_the_layout_of_a_plain_request(run, tmp_path, capsys):
    assert main(["export", str(run), "--format", "onnx", "--out", str(tmp_path / "files")]) == 0
    assert [item.name for item in (tmp_path / "files").iterdir()] == ["run.onnx"]
    words = ["--format", "onnx", "--layout", "folders", "--output", str(tmp_path / "folders")]
    assert main(["export", str(run), *words]) == 0
    assert [item.name for item in (tmp_path / "folders").iterdir()] == ["onnx-float32"]
    agreement, accuracy = capsys.readouterr().out.splitlines()
    assert "agrees with the trained network on 256 images" in agreement
    assert accuracy.endswith("on 359 images")


def test_what_does_not_exist_is_left_out_of_a_table(run, tmp_path, capsys):
    words = ["--format", "symbol", "onnx", "--precision", "float32", "bfloat16", "--max-drop", "100"]
    assert main(["export", str(run), *words, "--out", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    names = ["symbol-float32", "symbol-bfloat16", "onnx-float32"]
    assert [line.split()[0] for line in captured.out.splitlines()] == names
    assert "left out, as there is no such target: onnx-bfloat16 (ONNX Runtime computes no bfloat16" in captured.err


def test_a_format_without_the_precision_is_left_out(run, tmp_path, capsys):
    words = ["--format", "onnx", "openvino", "--precision", "int8", "--calibration-images", "8", "--max-drop", "100"]
    assert main(["export", str(run), *words, "--out", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert [item.name for item in tmp_path.iterdir()] == ["openvino-int8"]
    assert captured.err.count("left out, as there is no such target: onnx-int8 (int8 is MXNet's or OpenVINO's") == 1


def test_int8_of_a_run_on_records(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw_set(tmp_path / "photographs")
    words = "--model resnet18_v1b --use-rec --data-dir photographs --batch-size 8 -j 1 --input-size 32 --classes 3"
    assert train_imagenet([*words.split(), "--num-epochs", "1", "--lr", "0.01", "--run-dir", "run"]) == 0
    capfd.readouterr()
    words = ["--format", "symbol", "openvino", "--precision", "int8", "--calibration-images", "8", "--max-drop", "100"]
    assert main(["export", "run", *words, "--out", "out"]) == 0
    captured = capfd.readouterr()
    assert [line.split()[0] for line in captured.out.splitlines()] == ["symbol-int8", "openvino-int8"]
    first, *rest = captured.err.splitlines()
    assert first == "exporting run (resnet18_v1b) as symbol-int8, openvino-int8 to out"
    assert all(line.startswith(("exporting target", "calibrating int8", "evaluation batch")) for line in rest)
    for name in ("symbol-int8", "openvino-int8"):
        card = json.loads((tmp_path / "out" / name / "card.json").read_text())
        accuracy = card["accuracy"]
        assert (accuracy["dataset"], accuracy["images"]) == ("imagenet_rec", 10)
        assert card["check"]["difference"] < 0.3


def test_int8_of_the_digits(run, tmp_path, capsys):
    words = ["--precision", "int8", "--max-drop", "100", "--calibration-images", "16", "--calibration", "naive"]
    assert main(["export", str(run), *words, "--out", str(tmp_path)]) == 0
    assert "symbol-int8" in capsys.readouterr().out


def test_a_named_model_with_its_parameters(tmp_path, capsys):
    net, _ = network("cifar_resnet20_v1", 10)
    gluon_attn.save_params(net, tmp_path / "net.params")
    words = ["cifar_resnet20_v1", "--params", str(tmp_path / "net.params"), "--out", str(tmp_path / "out")]
    assert main(["export", *words]) == 0
    card = json.loads((tmp_path / "out" / "symbol-float32" / "card.json").read_text())
    assert (card["model"], card["classes"], card["accuracy"]) == ("cifar_resnet20_v1", 10, None)
    assert main(["export", *words, "--dataset", "digits", "--format", "onnx"]) == 0
    card = json.loads((tmp_path / "out" / "onnx-float32" / "card.json").read_text())
    assert card["accuracy"]["images"] == 359
    assert card["class_names"] == list("0123456789")
    capsys.readouterr()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["RUN", "--format", "onnx", "--precision", "bfloat16"], "there is no onnx-bfloat16"),
        (["RUN", "--precision", "float16", "--layout", "files"], "float32 symbol and ONNX files of a run alone"),
        (["RUN", "--out", "x", "--layout", "folders", "--no-check"], "always checked: leave --no-check out"),
        (["RUN", "--out", "x", "--for", "speed", "--format", "onnx", "--precision", "int8"], "there is no onnx-int8"),
        (["RUN", "--out", "x", "--calibration-images", "9"], "go with --precision int8"),
        (["RUN", "--format", "openvino", "--precision", "int8", "--calibration", "naive"], "it goes with --format sym"),
        (["RUN", "--out", "x", "--batch-size", "2"], "--batch-size goes with --for speed"),
        (["RUN", "--out", "x", "--params", "y"], "--params and --input-size go with the name of a model"),
        (["RUN", "--out", "x", "--max-drop", "-1"], "must be a number from 0 to 100"),
        (["RUN", "--out", "x", "--repository", "ovms"], "takes ONNX and OpenVINO: add --format onnx"),
        (["RUN", "--out", "x", "--dataset", "cifar10", "--data-dir", "nowhere"], "--data-dir nowhere does not exist"),
        (["nowhere", "--dynamic"], "nowhere is not a run folder"),
        (["resnet18_v1b"], "no published parameters of 'resnet18_v1b'"),
    ],
)
def test_errors_are_one_line(run, tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    assert main(["export", *(str(run) if word == "RUN" else word for word in words)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not list(tmp_path.rglob("*.params"))


class Unread:
    """Images that cannot be read."""

    def __len__(self):
        return 9

    def take(self, indices, rng, size=None):
        raise UserError("train.rec does not exist")


def test_calibration_images(caplog):

    source = digits()
    images = read_calibration_images(source, 8)
    assert images.shape == (8, 32, 32, 3)
    assert (images[-1] == source.train.images[-1]).all()

    images = read_calibration_images(dataclasses.replace(source, train=Unread()), 5)
    assert (images[0] == source.val.images[0]).all()
    assert "no training images to calibrate with: train.rec does not exist" in caplog.text
