"""Deploy bundles: what is in them, and that their program runs."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from networks import digits
from PIL import Image

from gluon_attn.deploy import export, predictor, targets
from gluon_attn.deploy.evaluate import evaluate_predictor
from gluon_attn.deploy.verify import ExportChecks
from gluon_attn.utils.files import sha256

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")
pytest.importorskip("nncf")

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def test_every_target_has_a_bundle_with_its_card(trained, bundles):
    net, card, test = trained
    before = evaluate_predictor(predictor.of_network(net, card), test).correct / 64
    assert list(bundles) == [
        "symbol-float32", "symbol-float16", "symbol-bfloat16", "symbol-int8", "onnx-float32", "onnx-float16",
        "openvino-float32", "openvino-float16", "openvino-bfloat16", "openvino-int8",
    ]  # fmt: skip
    for name, one in bundles.items():
        described = json.loads((one.path / "card.json").read_text())
        assert described == one.card
        assert {key: described[key] for key in ("model", "mean", "std", "class_names")} == {
            "model": card.model, "mean": list(card.mean), "std": list(card.std), "class_names": list(card.class_names),
        }  # fmt: skip
        assert f"{described['format']}-{described['precision']}" == name
        assert described["versions"]["mxnet"] == "1.9.1"
        others = {item.name for item in one.path.iterdir()} - {"card.json", "example.py"}
        assert described["sha256"] == {file: sha256(one.path / file) for file in others}
        after = evaluate_predictor(predictor.load(one.path), test).correct / 64
        assert described["accuracy"] == {"dataset": "digits", "images": 64, "before": before, "after": after}


def test_precisions_are_what_computes(trained, bundles):
    net, card, test = trained
    expected = predictor.of_network(net, card).predict(test.images)
    differences = {}
    for name, one in bundles.items():
        found = predictor.load(one.path).predict(test.images)
        differences[name] = abs(found - expected).max() / abs(expected).max()
    assert max(differences[name] for name in differences if name.endswith("float32")) <= 1e-5
    assert all(1e-5 < differences[name] < 1e-2 for name in differences if name.endswith("-float16"))
    assert 1e-5 < differences["symbol-bfloat16"] < 0.1
    assert all(1e-3 < differences[name] < 0.3 for name in differences if name.endswith("int8"))


def test_lower_precisions_make_smaller_files(bundles):
    sizes = {}
    for name, one in bundles.items():
        sizes[name] = sum((one.path / file).stat().st_size for file in one.card["sha256"] if not file.endswith(".json"))
    for kind in ("symbol", "onnx", "openvino"):
        assert sizes[f"{kind}-float16"] < 0.7 * sizes[f"{kind}-float32"]
    weights = {name: (bundles[f"openvino-{name}"].path / "net.bin").stat().st_size for name in ("float32", "int8")}
    assert weights["int8"] < 0.4 * weights["float32"]  # in the other file NNCF writes down what it did


#: the others are `slow`
QUICK = {"symbol-int8", "onnx-float16", "openvino-bfloat16"}


def programs():
    for preprocess in (False, True):
        for target in map(str, targets.all_targets()):
            quick = target in QUICK and not preprocess
            yield pytest.param(target, preprocess, marks=() if quick else (pytest.mark.slow,))


@pytest.mark.parametrize(("name", "preprocess"), programs())
def test_the_program_in_the_folder_runs(trained, bundles, tmp_path, name, preprocess):
    one, image = bundles[name], digits().val.images[3]
    if preprocess:
        net, card, _ = trained
        checks = ExportChecks(calibration=digits().train.images[:8])
        (one,) = export.export_network(net, card.replace(preprocess=True), "net", [one.target], tmp_path, checks=checks)
    Image.fromarray(image).save(tmp_path / "image.png")
    command = [sys.executable, str(one.path / "example.py"), "image.png"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ROOT}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    expected = predictor.load(one.path).predict(image[None]).argmax()
    assert done.stdout == f"image.png: {one.card['class_names'][expected]}\n"
    Image.fromarray(image[..., 0].astype(np.uint16) * 257).save(tmp_path / "deep.png")  # Pillow would clip it
    done = subprocess.run(
        [*command[:-1], "deep.png"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": ROOT}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert "deep.png: takes upright 8-bit RGB or grey images" in done.stderr
    lines = (one.path / "example.py").read_text().splitlines()
    assert len([line for line in lines if line and not line.startswith(('"""', "import", "from"))]) <= 15
