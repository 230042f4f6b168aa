"""train_coco.py with a tiny network on tiny scenes: what it writes, resuming to the last bit, prediction, errors."""

import json
import re
import shutil

import numpy as np
import pytest
import yaml
from tiny_detector import NETWORK, params, records, timeless, words

pytest.importorskip("pycocotools", reason="needs pycocotools")

from gluon_attn.cli import main, train_coco


def test_what_a_run_leaves(trained):
    names = {path.name for path in trained.iterdir()}
    assert {
        "best.params",
        "card.json",
        "checkpoints",
        "config.yaml",
        "history.png",
        "log.txt",
        "metrics.jsonl",
    } <= names
    assert (trained / "config.yaml").read_text().startswith("# options of detect")
    for record in records(trained):
        assert record["train_loss"] == pytest.approx(
            sum(record[f"train_loss_{name}"] for name in ("rpn_cls", "rpn_bbox", "cls", "bbox", "mask")), rel=1e-5
        )
        assert 0 <= record["train_acc"] <= 1
        for kind in ("bbox", "segm"):
            figures = [key for key in record if key.startswith(f"val_{kind}_") and key != f"val_{kind}_per_class"]
            assert len(figures) == 12
            assert set(record[f"val_{kind}_per_class"]) == set("0123456789")
    card = json.loads((trained / "card.json").read_text())
    assert card["model"] == "mask_rcnn_fpn_resnet18_v1b"
    assert card["detection"]["canvases"] == [[64, 64], [64, 64]]
    log = (trained / "log.txt").read_text()
    assert "mask AP" in log
    number = r"[\d.e-]+"
    names = ("loss_rpn_cls", "loss_rpn_bbox", "loss_cls", "acc", "loss_bbox", "loss_mask", "loss")
    losses = ", ".join(f"{name} {number}" for name in names)
    start = rf"lr {number}, eta 0:\d\d:\d\d, time {number}, data_time {number}, memory \d+ MB, "
    assert re.search(start + losses, log)


def test_a_resumed_run_ends_alike_to_the_last_bit(trained, scenes, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    shutil.rmtree(folder / "checkpoints" / sorted(path.name for path in (folder / "checkpoints").iterdir())[-1])
    assert train_coco(words(scenes, "--run-dir", folder, "--resume", "auto")) == 0
    ours, wanted = params(folder), params(trained)
    assert set(ours) == set(wanted)
    for name, value in wanted.items():
        np.testing.assert_array_equal(ours[name], value, err_msg=name)
    assert list(map(timeless, records(folder))) == list(map(timeless, records(trained)))


def test_imperative_mode_gives_the_same(trained, scenes, tmp_path):
    assert train_coco(words(scenes, "--run-dir", tmp_path / "run", "--mode", "imperative", "--kernels", "off")) == 0
    for ours, wanted in zip(records(tmp_path / "run"), records(trained), strict=True):
        assert ours["train_loss"] == pytest.approx(wanted["train_loss"], rel=1e-3)


def test_faster_rcnn_has_no_masks(scenes, tmp_path):
    network = NETWORK.replace(" mask_widths=[8]", "")
    line = words(scenes, "--run-dir", tmp_path / "run", "--num-epochs", 1, model="faster_rcnn_fpn_resnet18_v1b",
                 network=network)  # fmt: skip
    assert train_coco(line) == 0
    (record,) = records(tmp_path / "run")
    assert not [key for key in record if "segm" in key or "mask" in key]
    assert "val_bbox_mAP" in record


def test_prediction(trained, scenes, tmp_path, capsys):
    images = sorted((scenes / "val2017").iterdir())[:2]
    target = tmp_path / "found"
    line = ["predict", *map(str, images), "--model", str(trained), "--output", str(target), "--score", "0", "--json"]
    assert main([*line, "--over-epochs"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["image"] for one in found] == [str(path) for path in images]
    names = {path.name for path in target.iterdir()}
    assert names == {"results.json", "epochs.png", "epochs.gif", *(f"{path.stem}.png" for path in images)}
    for entry in json.loads((target / "results.json").read_text()):
        assert entry["image_id"] in (1, 2)
        assert {"category_id", "score", "bbox", "segmentation"} <= set(entry)
    assert main(["predict", str(images[0]), "--model", str(trained), "--top", "2"]) == 2
    assert capsys.readouterr().err == "error: --top has no effect on a detector: leave it out\n"


def test_evaluation_gives_the_figures_of_the_best_epoch(trained, tmp_path, capsys):
    best = max(records(trained), key=lambda record: record["val_segm_mAP"])
    assert main(["eval", str(trained), "--json", "--per-class"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["images"] == 3
    for name in ("bbox_mAP", "segm_mAP", "bbox_AR_100", "segm_per_class"):
        assert found[name] == pytest.approx(best[f"val_{name}"], abs=1e-9)
    results = tmp_path / "results.json"
    results.write_text("[]")
    assert main(["eval", str(trained), "--results", str(results)]) == 0
    assert "mAP_50" in capsys.readouterr().out
    assert main(["eval", str(trained), "--dataset", "digits"]) == 2
    assert capsys.readouterr().err == "error: --dataset has no effect on a detector: leave it out\n"


def test_report(trained, tmp_path, capsys):
    page = tmp_path / "report.html"
    assert main(["report", str(trained), "--output", str(page)]) == 0
    assert capsys.readouterr().out.split()[:6] == ["run", "data", "set", "attention", "params", "(M)"]
    text = page.read_text()
    for part in ("whole (detection)", "loss of the masks", "<h2>Classes</h2>", "mask AP50"):
        assert part in text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("--model resnet18_v1b", "resnet18_v1b is no detector; give one, such as mask_rcnn_fpn_resnet18_v1b"),
        ("--model mask_rcnn_fpn_mobilenet_v2", "mobilenet_v2 is no ResNet for ImageNet"),
        ("--dataset coco --data-dir nothing", "nothing"),
        ("--dataset json", "--dataset json needs --train-json"),
        ("--train-json x.json", "--train-json is for --dataset json"),
        ("--min-size 100", "--min-size 100 is more than --max-size 64, the length of the longer side"),
        ("--nms-threshold 3", "--nms-threshold must be from 0.01 to 1, got 3.0"),
        ("--blocks 3", "unknown option --blocks"),
        ("--layers 3", "unknown option --layers"),
        ("--init-ch 3", "unknown option --init-ch"),
        ("--min-size 64,32", "--min-size takes lengths in ascending order"),
        ("--frozen-stages 5", "--frozen-stages must be from 0 to 4"),
        ("--warmup-epochs 1", "--warmup-updates and --warmup-epochs are two lengths of one warm-up"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(scenes, tmp_path, monkeypatch, capsys, more, said):
    monkeypatch.chdir(tmp_path)
    assert train_coco([*words(scenes, "--run-dir", "run"), *more.split()]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_options_without_effect_are_refused_in_recipes_too(scenes, tmp_path, capsys):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({"train": {"drop_path_prob": 0.2}}))
    assert train_coco(words(scenes, "--run-dir", tmp_path / "run", "--config", recipe)) == 2
    assert "--drop-path-prob has no effect on a detector" in capsys.readouterr().err


def test_the_task_of_the_train_command(scenes, tmp_path):
    assert main(["train", "--task", "detection", *words(scenes, "--run-dir", tmp_path / "run", "--num-epochs", 1)]) == 0
    assert (tmp_path / "run/best.params").is_file()
