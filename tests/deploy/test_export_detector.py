"""Exported detectors: every form finds what the network finds, the card tells of it, and refusals are one line."""

import json

import numpy as np
import pytest
from detector_runs import FLOAT32, NETWORKS, images, same, write_run

import gluon_attn
from gluon_attn.cli import main
from gluon_attn.deploy.targets import ExportTarget
from gluon_attn.runs import export_detector
from gluon_attn.runs.detector import open_detector
from gluon_attn.utils.errors import UserError
from gluon_attn.utils.files import sha256

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")


@pytest.mark.parametrize("kind", list(NETWORKS))
def test_every_form_finds_the_same(detectors, kind):
    run, pictures = detectors(kind), images()
    detector = open_detector(run)
    wanted = detector.detect(pictures)
    assert sum(map(len, wanted)) > 10
    for part in (detector.net.body, detector.net.box_head, detector.net.mask_head):
        if part is not None:
            part.hybridize(False)
    same(detector.detect(pictures), wanted)
    for target in FLOAT32:
        exported = open_detector(run / "export" / target)
        assert (exported.kind, exported.precision) == tuple(target.split("-"))
        same(exported.detect(pictures), wanted)


def test_other_precisions(detectors, tmp_path, capsys):
    run = detectors("mask")
    words = ["--format", "symbol", "onnx", "openvino", "--precision", "bfloat16", "float16", "--output", str(tmp_path)]
    assert main(["export", str(run), *words]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert list(lines) == [
        "symbol-bfloat16", "symbol-float16", "onnx-float16", "openvino-bfloat16", "openvino-float16",
    ]  # fmt: skip
    card = json.loads((tmp_path / "openvino-bfloat16/card.json").read_text())
    assert 1e-4 < card["check"]["graphs"]["body"] < 0.1
    assert 1e-4 < card["check"]["graphs"]["box_head"] < 0.1  # corners of rois are not rounded
    card = json.loads((tmp_path / "symbol-bfloat16/card.json").read_text())
    assert 1e-4 < card["check"]["graphs"]["box_head"] < 0.1
    assert "detections in" in lines["symbol-float16"]


def test_the_card_tells_all(detectors):
    folder = detectors("mask") / "export/onnx-float32"
    card = json.loads((folder / "card.json").read_text())
    assert (card["format"], card["precision"]) == ("onnx", "float32")
    assert card["detection"]["box_weights"] == [10, 10, 5, 5]
    assert np.shape(card["detection"]["anchors"]) == (5, 3, 4)
    assert list(card["graphs"]) == ["body", "box_head", "mask_head"]
    assert card["graphs"]["body"]["inputs"] == [{"name": "data", "shape": ["N", 3, "H", "W"], "dtype": "float32"}]
    assert card["graphs"]["body"]["outputs"] == ["p2", "p3", "p4", "p5", "logits", "deltas"]
    assert [one["name"] for one in card["graphs"]["mask_head"]["inputs"]][-2:] == ["rois_5", "order"]
    files = {path.name for path in folder.iterdir()} - {"card.json", "example.py"}
    assert card["sha256"] == {name: sha256(folder / name) for name in files}
    assert card["check"]["alike"] == card["check"]["detections"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--precision int8", "--precision int8 is for classifiers"),
        ("--with-preprocessing", "--with-preprocessing has no effect on a detector"),
        ("--dynamic", "--dynamic has no effect on a detector"),
        ("--for speed", "--for speed has no effect on a detector"),
        ("--layout files", "--layout has no effect on a detector"),
        ("--repository triton", "--repository has no effect on a detector"),
        ("--no-check", "--no-check has no effect on a detector"),
        ("--format onnx --precision bfloat16", "there is no onnx-bfloat16"),
        ("--params x.params", "--params and --input-size go with the name of a model"),
        ("--data-dir nowhere", "nowhere"),
    ],
)
def test_refusals_are_one_line(detectors, tmp_path, capsys, words, said):
    run = str(detectors("mask"))
    capsys.readouterr()  # what making it said
    assert main(["export", run, "--output", str(tmp_path / "out"), *words.split()]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_named_detector_needs_weights(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["export", "mask_rcnn_fpn_resnet18_v1b"]) == 2
    assert "without weights: name its parameter file with --params" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_differs_is_not_written(detectors, tmp_path, monkeypatch):
    run = detectors("faster")  # made before the check is changed
    monkeypatch.setattr(export_detector, "differences", lambda *_: {"body": 1e-3})
    with pytest.raises(UserError, match=r"nothing was exported: onnx-float32 differs from the trained network"):
        gluon_attn.export(run, format="onnx", output=tmp_path / "out")
    assert not list(tmp_path.glob("out/*"))


def test_a_square_canvas_is_a_fixed_size(tmp_path):
    run = write_run(tmp_path / "run", "faster", square=True)
    (one,) = gluon_attn.export(run, format="onnx", output=tmp_path / "out")
    assert one.target == ExportTarget("onnx")
    assert one.card["graphs"]["body"]["inputs"][0]["shape"] == ["N", 3, 64, 64]
    same(open_detector(one.path).detect(images()), open_detector(run).detect(images()))
