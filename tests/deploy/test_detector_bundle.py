"""The deploy bundle of a detector: its program needs no gluon_attn, commands take it, and damage is told."""

import json
import os
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
from detector_runs import FLOAT32, images, write_run

import gluon_attn
from gluon_attn.cli import main
from gluon_attn.deploy.detector_bundle import open_bundle
from gluon_attn.detect.results import to_results
from gluon_attn.runs.detector import open_detector
from gluon_attn.utils.errors import UserError

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")

PROGRAMS = [*(("mask", target) for target in FLOAT32), ("faster", "onnx-float32"), ("aligned", "openvino-float32")]


@pytest.mark.parametrize(("kind", "target"), PROGRAMS)
def test_the_program_runs_without_this_library(detectors, tmp_path, kind, target):
    run, pictures = detectors(kind), images()
    names = [f"{number}.png" for number in range(len(pictures))]
    names[1] = "other/0.png"
    (tmp_path / "other").mkdir()
    for name, image in zip(names, pictures, strict=True):
        cv2.imwrite(str(tmp_path / name), image[..., ::-1])
    program = str(run / "export" / target / "example.py")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    checked = "import sys; sys.modules['gluon_attn'] = None; import runpy; sys.argv = sys.argv[1:]; "
    checked += "runpy.run_path(sys.argv[0], run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-P", "-c", checked, program, *names, "--results", "found.json", "--picture", "drawn",
         "--score", "0.3"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    detector = open_detector(run)
    wanted = [
        entry for number, (image, one) in enumerate(zip(pictures, detector.detect(pictures), strict=True), 1)
        for entry in to_results(one, number, image.shape[:2], [2, 5, 9])
    ]  # fmt: skip
    assert len(found) == len(wanted) > 10
    for one, other in zip(found, wanted, strict=True):
        assert (one["image_id"], one["category_id"]) == (other["image_id"], other["category_id"])
        np.testing.assert_allclose(one["bbox"], other["bbox"], atol=1e-3)
        assert one["score"] == pytest.approx(other["score"], abs=1e-5)
        assert ("segmentation" in one) == ("segmentation" in other) == (kind != "faster")
    masks = [one.get("segmentation") == other.get("segmentation") for one, other in zip(found, wanted, strict=True)]
    assert np.mean(masks) > 0.9  # a probability of one half may round to either side
    lines = done.stdout.splitlines()
    assert len(lines) == sum(one["score"] >= 0.3 for one in found)
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == sorted(["0-2.png", names[0], *names[2:]])


def test_nothing_found(tmp_path):
    run = write_run(tmp_path / "run", "mask", score=0.999)
    for one in gluon_attn.export(run, format=["symbol", "onnx", "openvino"]):
        (found,) = open_detector(one.path).detect(images()[:1])
        assert (len(found), found.masks.shape) == (0, (0, 28, 28))
        if one.target.format != "onnx":
            continue
        cv2.imwrite(str(tmp_path / "image.png"), images()[0])
        done = subprocess.run(
            [sys.executable, str(one.path / "example.py"), "image.png", "--results", "found.json"], cwd=tmp_path,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert json.loads((tmp_path / "found.json").read_text()) == []


def test_prediction_and_evaluation_take_a_bundle(detectors, tmp_path, capsys):
    run = detectors("mask")
    cv2.imwrite(str(tmp_path / "image.png"), images()[1])
    found = []
    for model in (run, run / "export/onnx-float32"):
        words = ["predict", str(tmp_path / "image.png"), "--model", str(model), "--output", str(tmp_path / "out")]
        assert main([*words, "--json", "--score", "0.1"]) == 0
        found.append(json.loads(capsys.readouterr().out)[0]["objects"])
    assert [one["class"] for one in found[0]] == [one["class"] for one in found[1]]
    bundle = str(run / "export/onnx-float32")
    assert main([*words, "--over-epochs"]) == 2
    assert capsys.readouterr().err == "error: --over-epochs is for a run folder: a deploy bundle has one epoch\n"
    assert main(["eval", f"{bundle}/body.onnx"]) == 2
    assert capsys.readouterr().err == f"error: {bundle}/body.onnx is a graph of a detector: name its folder, {bundle}\n"


def test_a_damaged_bundle(detectors, tmp_path):
    folder = shutil.copytree(detectors("faster") / "export/onnx-float32", tmp_path / "bundle")
    card = json.loads((folder / "card.json").read_text())
    canvases = {"canvases": card["detection"]["canvases"]}
    for broken, said in (
        ({"graphs": {"box_head": 1}}, "does not describe the graphs"), ({"detection": {}}, "does not describe the"),
        ({"detection": canvases}, "does not describe a detector"),
    ):  # fmt: skip
        (folder / "card.json").write_text(json.dumps({**card, **broken}))
        with pytest.raises(UserError, match=said):
            open_detector(folder)
    (folder / "card.json").write_text(json.dumps(card))
    (folder / "box_head.onnx").write_bytes(b"no")
    with pytest.raises(UserError, match="is not what was exported"):
        open_bundle(folder)
    (folder / "box_head.onnx").unlink()
    with pytest.raises(UserError, match="is missing, which"):
        open_detector(folder)


def test_speed_of_a_bundle_and_its_graphs(detectors, capsys):
    target = str(detectors("mask") / "export/onnx-float32")
    assert main(["bench", target, "-b", "2", "--repeat", "2", "--warm-up", "1", "--threads", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    names = ["", ": body", ": box head, 30 rois per image", ": mask head, 12 rois per image"]
    assert [row["target"] for row in rows] == [target + name for name in names]
    assert {row["kind"] for row in rows} == {"onnx"}
    assert all(row["images_per_second"] > 0 for row in rows)
