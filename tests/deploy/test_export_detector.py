"""Exported detectors: every form finds what the network finds, and the program in the bundle needs no gluon_attn."""

import json
import os
import shutil
import subprocess
import sys

import cv2
import mxnet as mx
import numpy as np
import pytest

import gluon_attn
from gluon_attn.cli import main
from gluon_attn.config.card import Card
from gluon_attn.deploy.detector_bundle import open_bundle
from gluon_attn.deploy.targets import ExportTarget
from gluon_attn.detect.inference import InferenceOptions
from gluon_attn.detect.proposals import ProposalOptions
from gluon_attn.detect.results import to_results
from gluon_attn.runs import export_detector
from gluon_attn.runs.detector import of_network, open_detector
from gluon_attn.utils.errors import UserError
from gluon_attn.utils.files import sha256

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")

SMALL = {"widths": (8, 8, 16, 16), "fpn_channels": 8, "box_width": 16, "anchor_sizes": (8, 16, 32, 64, 96)}
#: name -> detector, options
NETWORKS = {
    "mask": ("mask_rcnn_fpn_resnet18_v1b", {"attention": "eca", "mask_widths": (8,)}),
    "faster": ("faster_rcnn_fpn_resnet18_v1b", {"attention": "cbam"}),
    "aligned": (
        "mask_rcnn_fpn_resnet18_v1b",
        {"mask_widths": (8,), "roi_aligned": True, "roi_sampling": 0, "anchors_rounded": False},
    ),
}
FLOAT32 = [f"{kind}-float32" for kind in ("symbol", "onnx", "openvino")]


def write_run(folder, kind, score=0.05, square=False):
    """The run folder of a detector whose weights find something."""
    name, options = NETWORKS[kind]
    net = gluon_attn.get_model(name, 3, **SMALL, **options)
    net.initialize(mx.init.MSRAPrelu())
    random = np.random.default_rng(1)
    for key, parameter in net.collect_params().items():
        if key.endswith(("running_var", "gamma")):
            parameter.set_data(mx.nd.array(random.uniform(0.5, 1.5, parameter.shape)))
        elif "cls_score" in key or "rpn" in key:  # distinct scores: no choice hangs on the last digit
            parameter.set_data(mx.nd.array(random.normal(0, 0.3, parameter.shape)))
        elif "bbox_pred" in key:
            parameter.set_data(mx.nd.array(random.normal(0, 0.05, parameter.shape)))
    canvas = [64, 64] if square else [64, 96]
    inference = InferenceOptions(ProposalOptions(60, 30), score=score, most=12)
    about = {
        "canvases": [canvas, canvas[::-1]], "shorter": 64, "longer": canvas[1], "category_ids": [2, 5, 9],
        "inference": json.loads(json.dumps(inference, default=lambda one: one.__dict__)),
    }  # fmt: skip
    card = Card(
        **net.recipe, dataset="", class_names=("ant", "bee", "cat"), input_shape=(3, *canvas), detection=about,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    of_network(net, card).detect([images()[0]])  # so that all shapes are known
    gluon_attn.save_params(net, folder / "best.params")
    (folder / "card.json").write_text(json.dumps(card.to_dict()))
    (folder / "config.yaml").write_text("# options of detect\ndata:\n  data_dir: /nowhere/at/all\n  dataset: coco\n")
    return folder


def images():
    """Smooth images: landscape, portrait, one that is only padded, and one that is much larger."""
    random = np.random.default_rng(0)
    sizes = [(50, 70), (90, 60), (64, 80), (200, 330)]
    blobs = [random.integers(0, 256, (6, 8, 3), dtype=np.uint8) for _ in sizes]
    return [
        cv2.resize(blob, size[::-1], interpolation=cv2.INTER_CUBIC) for blob, size in zip(blobs, sizes, strict=True)
    ]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """(kind) -> run folder with its float32 exports, made once."""
    made = {}

    def get(kind):
        if kind not in made:
            run = write_run(tmp_path_factory.mktemp("runs") / kind, kind)
            gluon_attn.export(run, format=["symbol", "onnx", "openvino"])
            made[kind] = run
        return made[kind]

    return get


def same(found, wanted):
    """The detections of two detectors: corners to a thousandth of a pixel, scores to 1e-5."""
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert one.labels.tolist() == other.labels.tolist()
        np.testing.assert_allclose(one.boxes, other.boxes, atol=1e-3)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
        assert (one.masks is None) == (other.masks is None)
        if one.masks is not None:
            np.testing.assert_allclose(one.masks, other.masks, atol=1e-4)


@pytest.mark.parametrize("kind", list(NETWORKS))
def test_every_form_finds_the_same(bundles, kind):
    run, pictures = bundles(kind), images()
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


PROGRAMS = [*(("mask", target) for target in FLOAT32), ("faster", "onnx-float32"), ("aligned", "openvino-float32")]


@pytest.mark.parametrize(("kind", "target"), PROGRAMS)
def test_the_program_runs_without_this_library(bundles, tmp_path, kind, target):
    run, pictures = bundles(kind), images()
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


def test_other_precisions(bundles, tmp_path, capsys):
    run = bundles("mask")
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


def test_the_card_tells_all(bundles):
    folder = bundles("mask") / "export/onnx-float32"
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


def test_prediction_and_evaluation_take_a_bundle(bundles, tmp_path, capsys):
    run = bundles("mask")
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
def test_refusals_are_one_line(bundles, tmp_path, capsys, words, said):
    run = str(bundles("mask"))
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


def test_what_differs_is_not_written(bundles, tmp_path, monkeypatch):
    run = bundles("faster")  # made before the check is changed
    monkeypatch.setattr(export_detector, "differences", lambda *_: {"body": 1e-3})
    with pytest.raises(UserError, match=r"nothing was exported: onnx-float32 differs from the trained network"):
        gluon_attn.export(run, format="onnx", output=tmp_path / "out")
    assert not list(tmp_path.glob("out/*"))


def test_a_damaged_bundle(bundles, tmp_path):
    folder = shutil.copytree(bundles("faster") / "export/onnx-float32", tmp_path / "bundle")
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


def test_a_square_canvas_is_a_fixed_size(tmp_path):
    run = write_run(tmp_path / "run", "faster", square=True)
    (one,) = gluon_attn.export(run, format="onnx", output=tmp_path / "out")
    assert one.target == ExportTarget("onnx")
    assert one.card["graphs"]["body"]["inputs"][0]["shape"] == ["N", 3, 64, 64]
    same(open_detector(one.path).detect(images()), open_detector(run).detect(images()))


def test_speed_of_a_bundle_and_its_graphs(bundles, capsys):
    target = str(bundles("mask") / "export/onnx-float32")
    assert main(["bench", target, "-b", "2", "--repeat", "2", "--warm-up", "1", "--threads", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    names = ["", ": body", ": box head, 30 rois per image", ": mask head, 12 rois per image"]
    assert [row["target"] for row in rows] == [target + name for name in names]
    assert {row["kind"] for row in rows} == {"onnx"}
    assert all(row["images_per_second"] > 0 for row in rows)
