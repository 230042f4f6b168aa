import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from networks import digits, digits_run, network
from PIL import Image

from gluon_attn import Plan
from gluon_attn.data.base import ArraySet
from gluon_attn.deploy import bundle, fastest, load_run, predictor, repository, targets
from gluon_attn.deploy.bench import Speed
from gluon_attn.deploy.evaluate import score
from gluon_attn.deploy.export import random_images
from gluon_attn.utils.errors import UserError
from gluon_attn.utils.files import sha256

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")
pytest.importorskip("nncf")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(network, card, test images) of a small network."""
    folder = digits_run(tmp_path_factory.mktemp("runs") / "run")
    test = digits().val
    return *load_run.load_run(folder), ArraySet(test.images[:64].copy(), test.labels[:64].copy())


@pytest.fixture(scope="module")
def packed(trained, tmp_path_factory):
    """Form -> `Packed`, of all forms."""
    net, card, test = trained
    material = bundle.Material(test, "digits", digits().train.images[:32], max_drop=1.0)
    found = bundle.pack(net, card, "net", targets.every(), tmp_path_factory.mktemp("packed"), material)
    return {str(one.form): one for one in found}


def test_every_form_has_a_folder_that_tells_of_it(trained, packed):
    net, card, test = trained
    before = score(predictor.of_network(net, card), test).correct / 64
    assert list(packed) == [
        "symbol-float32", "symbol-float16", "symbol-bfloat16", "symbol-int8", "onnx-float32", "onnx-float16",
        "openvino-float32", "openvino-float16", "openvino-bfloat16", "openvino-int8",
    ]  # fmt: skip
    for name, one in packed.items():
        described = json.loads((one.path / "card.json").read_text())
        assert described == one.card
        assert {key: described[key] for key in ("model", "mean", "std", "class_names")} == {
            "model": card.model, "mean": list(card.mean), "std": list(card.std), "class_names": list(card.class_names),
        }  # fmt: skip
        assert f"{described['format']}-{described['precision']}" == name
        assert described["versions"]["mxnet"] == "1.9.1"
        others = {item.name for item in one.path.iterdir()} - {"card.json", "example.py"}
        assert described["sha256"] == {file: sha256(one.path / file) for file in others}
        after = score(predictor.load(one.path), test).correct / 64
        assert described["accuracy"] == {"dataset": "digits", "images": 64, "before": before, "after": after}


def test_number_types_are_what_computes(trained, packed):
    net, card, test = trained
    expected = predictor.of_network(net, card).predict(test.images)
    apart = {}
    for name, one in packed.items():
        found = predictor.load(one.path).predict(test.images)
        apart[name] = abs(found - expected).max() / abs(expected).max()
    assert max(apart[name] for name in apart if name.endswith("float32")) <= 1e-5
    assert all(1e-5 < apart[name] < 1e-2 for name in apart if name.endswith("-float16"))
    assert 1e-5 < apart["symbol-bfloat16"] < 0.1
    assert all(1e-3 < apart[name] < 0.3 for name in apart if name.endswith("int8"))


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["fa", "bot", "coord"])
def test_int8_with_lengths_that_are_computed(tmp_path, attention):
    plan = Plan([{"name": attention, "slot": "post" if attention == "coord" else "conv", "scheme": "100000000"}])
    net, card = network(plan=plan, input_size=32)
    images = random_images(card, 8)
    expected = predictor.of_network(net, card).predict(images)
    path = targets.write(
        targets.Form("openvino", "int8"), net, card, tmp_path / "net", predictor.graph_inputs(card, images)
    )
    found = predictor.load(path).predict(images)
    assert found.shape == expected.shape
    assert abs(found - expected).max() <= 0.3 * abs(expected).max()


def test_smaller_types_make_smaller_files(packed):
    sizes = {}
    for name, one in packed.items():
        sizes[name] = sum((one.path / file).stat().st_size for file in one.card["sha256"] if not file.endswith(".json"))
    for kind in ("symbol", "onnx", "openvino"):
        assert sizes[f"{kind}-float16"] < 0.7 * sizes[f"{kind}-float32"]
    weights = {name: (packed[f"openvino-{name}"].path / "net.bin").stat().st_size for name in ("float32", "int8")}
    assert weights["int8"] < 0.4 * weights["float32"]  # in the other file NNCF writes down what it did


#: the others are `slow`
QUICK = {"symbol-int8", "onnx-float16", "openvino-bfloat16"}


def programs():
    for preprocess in (False, True):
        for form in map(str, targets.every()):
            quick = form in QUICK and not preprocess
            yield pytest.param(form, preprocess, marks=() if quick else (pytest.mark.slow,))


@pytest.mark.parametrize(("name", "preprocess"), programs())
def test_the_program_in_the_folder_runs(trained, packed, tmp_path, name, preprocess):
    one, image = packed[name], digits().val.images[3]
    if preprocess:
        net, card, _ = trained
        material = bundle.Material(calibration=digits().train.images[:8])
        (one,) = bundle.pack(net, card.replace(preprocess=True), "net", [one.form], tmp_path, material)
    Image.fromarray(image).save(tmp_path / "image.png")
    command = [sys.executable, str(one.path / "example.py"), "image.png"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ROOT}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    expected = predictor.load(one.path).predict(image[None]).argmax()
    assert done.stdout == f"image.png: {one.card['class_names'][expected]}\n"
    lines = (one.path / "example.py").read_text().splitlines()
    assert len([line for line in lines if line and not line.startswith(('"""', "import", "from"))]) <= 15


def test_raw_images_of_any_size(trained, tmp_path):
    net, card, test = trained
    wanted = [targets.Form(kind) for kind in targets.FORMATS]
    found = bundle.pack(net, card.replace(preprocess=True, dynamic=True), "net", wanted, tmp_path)
    larger = test.images[:3].repeat(2, axis=1)
    free = predictor.Predictor("run", card.replace(dynamic=True), predictor.of_network(net, card).forward)
    for one in found:
        assert one.card["input"] == {"name": "data", "shape": [None, None, None, 3], "dtype": "uint8"}
        assert one.card["accuracy"] is None
        logits, expected = predictor.load(one.path).predict(larger), free.predict(larger)
        assert abs(logits - expected).max() <= 1e-4 * abs(expected).max()


def test_what_is_refused_leaves_nothing(trained, tmp_path, monkeypatch):
    net, card, _ = trained
    form = targets.Form("onnx")
    with pytest.raises(UserError, match="int8 is calibrated with images: name a data set"):
        bundle.pack(net, card, "net", [form, targets.Form("symbol", "int8")], tmp_path)
    with pytest.raises(UserError, match="there is no onnx-bfloat16: ONNX Runtime computes no bfloat16"):
        targets.Form("onnx", "bfloat16")
    sized, its_card = network(plan=Plan([{"name": "bot", "slot": "conv", "scheme": "100000000"}]), input_size=32)
    with pytest.raises(UserError, match="this network takes one size of images only: leave --dynamic out"):
        bundle.pack(sized, its_card.replace(dynamic=True), "net", [form], tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_form_that_lost_its_accuracy_is_refused(trained, tmp_path, monkeypatch):
    net, card, test = trained
    wanted = [targets.Form("onnx"), targets.Form("onnx", "float16")]
    logits = predictor.of_network(net, card).predict(test.images)
    labels = logits.argmax(axis=1).astype(np.int32)
    chosen = labels != 0
    material = bundle.Material(ArraySet(test.images[chosen], labels[chosen]))

    def damage(onnx, proto):  # class 0 is far ahead of all
        (bias,) = (tensor for tensor in proto.initializer if tensor.name == "dense0_bias")
        value = onnx.numpy_helper.to_array(bias).copy()
        value[0] += 3 * abs(logits).max()
        bias.CopyFrom(onnx.numpy_helper.from_array(value, bias.name))

    monkeypatch.setattr(targets.onnx, "_halve", damage)
    with pytest.raises(UserError, match="nothing was exported: onnx-float16 differs from the network by"):
        bundle.pack(net, card, "net", wanted, tmp_path, material)
    monkeypatch.setitem(targets.ROUNDING, "float16", 10.0)
    with pytest.raises(UserError, match=r"onnx-float16 has 0.00% instead of 100.00% on .* above 1.00%; raise --max"):
        bundle.pack(net, card, "net", wanted, tmp_path, material)
    assert not list(tmp_path.iterdir())
    (packed,) = bundle.pack(net, card, "net", wanted[1:], tmp_path, dataclasses.replace(material, max_drop=1.0))
    assert packed.card["accuracy"]["after"] == 0


def test_the_fastest_of_equal_accuracy(trained, tmp_path, monkeypatch, caplog):
    net, card, test = trained
    rates = {"onnx-float32": 5.0, "symbol-float32": 7.0, "onnx-float16": 9.0}

    def measure(target, batch, threads):
        rate = rates[os.path.basename(target)]
        return Speed(str(target), "x", "x", batch, threads, 1, 1, 1, rate)

    monkeypatch.setattr(fastest, "measure", measure)
    wanted = [targets.Form("onnx"), targets.Form("symbol"), targets.Form("onnx", "float16")]
    material = bundle.Material(test, "digits", max_drop=1.0)
    best, speeds = fastest.fastest(net, card, "net", wanted, tmp_path / "a", material)
    assert (str(best.form), best.path) == ("onnx-float16", tmp_path / "a" / "onnx-float16")
    assert [one.target for one in speeds] == list(map(str, wanted))
    assert [item.name for item in (tmp_path / "a").iterdir()] == ["onnx-float16"]
    best, _ = fastest.fastest(net, card, "net", wanted, tmp_path / "b", bundle.Material())
    assert str(best.form) == "symbol-float32"
    assert "without test images only float32" in caplog.text


def test_repositories_have_the_layout_that_servers_read(packed, tmp_path):
    chosen = [packed[name] for name in ("symbol-float32", "onnx-float32", "openvino-bfloat16")]
    for server in repository.SERVERS:
        repository.write_repository(chosen, "net", server, tmp_path / server)
    files = {
        server: sorted(str(f.relative_to(tmp_path / server)) for f in (tmp_path / server).rglob("*") if f.is_file())
        for server in repository.SERVERS
    }
    models = [
        "net_onnx_float32/1/model.onnx", "net_openvino_bfloat16/1/model.bin", "net_openvino_bfloat16/1/model.xml",
    ]  # fmt: skip
    assert files["ovms"] == sorted(["config.json", *models])
    assert files["triton"] == sorted([*models, "net_onnx_float32/config.pbtxt", "net_openvino_bfloat16/config.pbtxt"])
    served = json.loads((tmp_path / "ovms/config.json").read_text())["model_config_list"]
    assert served[1]["config"] == {
        "name": "net_openvino_bfloat16", "base_path": "/models/net_openvino_bfloat16",
        "plugin_config": {"INFERENCE_PRECISION_HINT": "bf16"},
    }  # fmt: skip
    text = (tmp_path / "triton/net_onnx_float32/config.pbtxt").read_text()
    assert 'name: "net_onnx_float32"\nbackend: "onnxruntime"' in text
    assert 'input [ { name: "data" data_type: TYPE_FP32 dims: [3, 32, 32] } ]' in text
    assert 'output [ { name: "logits" data_type: TYPE_FP32 dims: [10] } ]' in text
    assert predictor.load(tmp_path / "triton/net_openvino_bfloat16/1/model.xml").card.classes == 10
    with pytest.raises(UserError, match="takes ONNX and OpenVINO forms"):
        repository.write_repository(chosen[:1], "net", "triton", tmp_path / "none")


def test_damaged_openvino_files_are_one_line(packed, tmp_path):
    import shutil

    folder = shutil.copytree(packed["openvino-float32"].path, tmp_path / "form")
    xml = folder / "net.xml"
    text = xml.read_text()
    for harm, message in (
        (lambda: xml.write_text(text[:500]), "damaged or not an OpenVINO file"),
        (lambda: xml.write_text(text.replace("gluon_attn", "other")), "holds no card"),
        (lambda: (folder / "net.bin").unlink(), "comes with net.bin, which is missing"),
    ):
        harm()
        with pytest.raises(UserError, match=message) as error:
            predictor.load(folder)
        assert "\n" not in str(error.value)
