"""Detectors in commands: what is told of a training, prediction of odd images, commands that take no detector."""

import json
import shutil

import mxnet as mx
import numpy as np
import pytest
from coco_files import content, write
from tiny_detector import params, records, words

pytest.importorskip("pycocotools", reason="needs pycocotools")

import gluon_attn
from gluon_attn.cli import main, train_coco
from gluon_attn.config.detect import DetectRunConfig
from gluon_attn.config.tasks import DETECTION
from gluon_attn.runs.compare import make_plan
from gluon_attn.runs.detection_data import open_sets
from gluon_attn.runs.options import from_keywords


@pytest.fixture(scope="module")
def trained(scenes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "whole"
    assert train_coco(words(scenes, "--run-dir", folder, "--num-epochs", 1)) == 0
    return folder


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--norm-eval"], "norm_eval without pretrained weights: batch norms keep the statistics that they start with"),
        (["--frozen-stages", "1"], "frozen_stages without pretrained weights: those stages stay random"),
        (["-b", "8"], "are fewer than the 8 of a global batch, which repeats them"),
        (["--norm-eval", "--norm", "group", "--head-norm", "group"], ""),
    ],
)
def test_what_changes_the_result_is_told(more, said, scenes, tmp_path, capsys):
    assert train_coco(words(scenes, "--run-dir", tmp_path / "run", "--num-epochs", 1, *more)) == 0
    error = capsys.readouterr().err
    assert error.count(said) >= 1
    assert bool(said) == ("without pretrained" in error or "repeats them" in error)


def test_a_detector_of_other_classes_starts_all_but_its_last_layers(trained, tmp_path, capsys):
    files = [str(path) for path in (*write(tmp_path), *write(tmp_path, name="val"))]
    line = words("x", "--run-dir", tmp_path / "run", "--pretrained", trained / "best.params", "--num-epochs", 1)
    line[:2] = ["--dataset", "json", "--train-json", files[0], "--train-images", files[1]]
    assert train_coco([*line, "--val-json", files[2], "--val-images", files[3], "--lr", "1e-12"]) == 0
    error = capsys.readouterr().err
    layers = "box_head.cls_score, box_head.bbox_pred, mask_head.mask_fcn_logits"
    assert f"best.params is for another number of classes: {layers} are initialized anew" in error
    assert "1 of 6 training images have no objects and are learned from as background" in error
    ours, theirs = (
        params(tmp_path / "run"),
        {n: v.asnumpy() for n, v in mx.nd.load(str(trained / "best.params")).items()},
    )
    other = {name for name, value in theirs.items() if ours[name].shape != value.shape}
    assert {name.rpartition(".")[0] for name in other} == set(layers.split(", "))
    np.testing.assert_allclose(ours["box_head.fc6.weight"], theirs["box_head.fc6.weight"], atol=1e-6)


@pytest.mark.parametrize(("part", "what"), [("train", "learn from"), ("val", "evaluate with")])
def test_images_with_crowds_alone_are_refused(part, what, tmp_path, capsys):
    data = content()
    for one in data["annotations"]:
        one["iscrowd"] = 1
    files = [str(path) for name in ("train", "val") for path in write(tmp_path, data if name == part else None, name)]
    line = ["--dataset", "json", "--train-json", files[0], "--train-images", files[1], "--val-json", files[2]]
    assert train_coco([*line, "--val-images", files[3], "--run-dir", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert f"{part}.json has nothing to {what}: none of 6 images has an object that is no crowd" in error


def test_a_run_stops_early_after_an_epoch_that_was_evaluated(scenes, tmp_path):
    more = ("--run-dir", tmp_path / "run", "--num-epochs", 8, "--eval-every", 3, "--patience", 1, "--lr", "1e-12")
    assert train_coco(words(scenes, *more)) == 0
    found = ["val_segm_mAP" in record for record in records(tmp_path / "run")]
    assert found == [False, False, True, False, False, True]


def test_pictures_of_images_of_one_name_are_kept_apart(trained, scenes, tmp_path, capsys):
    image = sorted((scenes / "val2017").iterdir())[0]
    names = ["a/x.jpg", "b/X.jpg", "epochs.jpg"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(image, tmp_path / name)
    own = ["predict", *(str(tmp_path / name) for name in names), "--model", str(trained), "--over-epochs"]
    assert main([*own, "--output", str(tmp_path / "found")]) == 0
    written = {path.name for path in (tmp_path / "found").iterdir()}
    assert written == {"x.png", "X-2.png", "epochs-2.png", "epochs.png", "epochs.gif", "results.json"}


def test_a_run_without_checkpoints_writes_nothing_over_its_epochs(trained, scenes, tmp_path, capsys):
    shutil.copytree(trained, tmp_path / "run", ignore=shutil.ignore_patterns("epoch-*"))
    image = str(sorted((scenes / "val2017").iterdir())[0])
    own = ["predict", image, "--model", str(tmp_path / "run"), "--over-epochs", "--output", str(tmp_path / "found")]
    assert main(own) == 2
    assert "keeps no checkpoint: train with --keep-checkpoints, such as 12" in capsys.readouterr().err
    assert not (tmp_path / "found").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("predict {image} --model nothing --output found", "nothing does not exist; name a run folder"),
        ("predict {image} --model {run}/checkpoints --output found", "is not a run folder: it has no card.json"),
        ("eval {run} -b 4", "--batch-size has no effect on a detector: leave it out"),
        ("eval {run} --results other.json", "other.json, entry 0 (the first is 0): the data set has no image 999"),
        ("eval mask_rcnn_fpn_resnet18_v1b --params {run}/best.params", "mask_rcnn_fpn_resnet18_v1b is a detector"),
        ("inspect {run} {image} --output inspected", "{run} holds a detector; this takes a classifier"),
        ("train --model mask_rcnn_fpn_resnet18_v1b --dataset digits", "with train_coco.py or --task detection"),
        ("train --model mask_rcnn_fpn_resnet18_v1b --dataset digits --benchmark", "is a detector: train it with"),
        ("train --model resnet18_v1b --dataset digits --teacher {run}", "teacher {run} holds a detector"),
        ("compare --model faster_rcnn_fpn_resnet18_v1b --dataset digits --attentions se", "is a detector: train it"),
    ],
)
def test_commands_of_classifiers_refuse_a_detector(line, said, trained, scenes, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    other = [{"image_id": 999, "category_id": 1, "score": 0.5, "bbox": [1, 1, 5, 5]}]
    (tmp_path / "other.json").write_text(json.dumps(other))
    image = sorted((scenes / "val2017").iterdir())[0]
    assert main(line.format(run=trained, image=image).split()) == 2
    error = capsys.readouterr().err
    assert said.format(run=trained) in error
    assert error.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in error
    assert [path.name for path in tmp_path.iterdir()] == ["other.json"]


def test_too_many_unreadable_test_images_are_one_line(trained, scenes, tmp_path, capsys):
    shutil.copytree(scenes, tmp_path / "set")
    first = sorted((tmp_path / "set/val2017").iterdir())[1]
    first.write_bytes(b"no image")
    assert main(["eval", str(trained), "--data-dir", str(tmp_path / "set")]) == 2
    assert "more than 0.01 of 3 test images cannot be read, such as image 2 (" in capsys.readouterr().err


def test_training_from_python(scenes, tmp_path):
    network = {
        "widths": [8, 8, 16, 16], "fpn_channels": 8, "box_width": 16, "mask_widths": [8],
        "anchor_sizes": [8, 16, 32, 64, 96],
    }  # fmt: skip
    found = gluon_attn.train(
        task="detection", model="mask_rcnn_fpn_resnet18_v1b", data_dir=str(scenes), train_count=6, val_count=3,
        min_size=[56], max_size=64, num_epochs=1, model_options=network, run_dir=str(tmp_path / "run"), norm_eval=False,
    )  # fmt: skip
    assert found.score_kind.key == "val_segm_mAP"
    assert found.history[0]["lr"] == pytest.approx(0.0025)  # of the default 0.02 for 16 images
    assert all(part._active for part in (found.net.body, found.net.box_head, found.net.mask_head))


def test_evaluation_from_python(trained):
    with pytest.raises(gluon_attn.UserError, match=r"holds a detector: gluon_attn\.evaluate_objects evaluates it"):
        gluon_attn.evaluate(trained)
    found = gluon_attn.evaluate_objects(trained)
    assert found.figures["segm"].values["mAP"] == pytest.approx(records(trained)[-1]["val_segm_mAP"], abs=1e-6)


def test_counts_and_sizes_that_are_cut_are_told(tmp_path, caplog):
    train, images = write(tmp_path)
    config = DetectRunConfig(
        data={"dataset": "json", "train_json": str(train), "train_folder": str(images), "val_json": str(train),
              "val_folder": str(images), "train_count": 500}
    )  # fmt: skip
    sets = open_sets(config)
    assert f"train_count is 500, {sets[0].path} has {len(sets[0])} images: all are used" in caplog.text
    open_sets(DetectRunConfig(data={"data_dir": str(tmp_path / "large"), "train_count": 1, "val_count": 1,
                                    "max_size": 1000}))  # fmt: skip
    assert "scenes are drawn with 640 pixels and enlarged" in caplog.text


def test_a_comparison_leaves_out_the_attention_of_the_default_network():
    options = from_keywords(DETECTION.config, {}, DETECTION.defaults)
    assert options.config().model.model == "mask_rcnn_fpn_eca_resnet50"
    plan = make_plan(options, ["identity", "se"], 1, {})
    assert plan.options.config().model.model == "mask_rcnn_fpn_resnet50_v1b"
    named = make_plan(options.override("model.model", "mask_rcnn_fpn_eca_resnet18"), ["identity", "se"], 1, {})
    assert named.options.config().model.model == "mask_rcnn_fpn_eca_resnet18"
