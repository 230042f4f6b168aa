"""`compare` and `sweep` for detectors: runs with one start, scores of boxes and masks, mistakes told beforehand."""

import csv
import functools
import json
from types import SimpleNamespace

import mxnet as mx
import numpy as np
import pytest
import yaml

pytest.importorskip("optuna", reason="needs Optuna")
pytest.importorskip("pycocotools", reason="needs pycocotools")

from gluon_attn.cli import main
from gluon_attn.cli.compare import plan_of
from gluon_attn.cli.sweep import options_of
from gluon_attn.config.scores import BOX_AP, MASK_AP
from gluon_attn.config.tasks import DETECTION
from gluon_attn.runs import network_costs
from gluon_attn.runs.study.plan import StudyPlan
from gluon_attn.runs.study.worker import Reporter
from gluon_attn.runs.sweep import make_plan

NETWORK = "--model-options widths=[8,8,16,16] fpn_channels=8 box_width=16 mask_widths=[8] anchor_sizes=[8,16,32,64,96]"
SMALL = (
    "--train-count 2 --val-count 2 --min-size 56 --max-size 64 -b 2 -j 0 --num-epochs 1 --roi-samples 16 --rpn-samples "
    "32 --pre-nms 40 --post-nms 40 --test-pre-nms 40 --test-post-nms 20 --no-norm-eval --score-threshold 0"
)
MODEL = "mask_rcnn_fpn_resnet18_v1b"
SCORES = ("val_segm_mAP", "val_segm_mAP_50", "val_bbox_mAP", "val_bbox_mAP_50")


def words(scenes, model=MODEL, network=NETWORK):
    return f"--task detection --data-dir {scenes} --model {model} {network} {SMALL}".split()


@pytest.fixture(scope="module")
def study(scenes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare") / "study"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network_costs, "in_turns", functools.partial(network_costs.in_turns, rounds=2, seconds=0))
        line = ["compare", "--attentions", "identity,se", "--seeds", "2", *words(scenes), "--output", str(folder)]
        assert main(line) == 0
    return folder


def test_results(study):
    found = json.loads((study / "results.json").read_text())
    assert found["score"] == MASK_AP.key
    plain, se = found["methods"]
    assert [plain["name"], se["name"]] == ["plain", "se"]
    for number, run in enumerate(run for runs in zip(plain["runs"], se["runs"], strict=True) for run in runs):
        (record,) = map(json.loads, (study / f"runs/{number:03d}/metrics.jsonl").read_text().splitlines())
        assert [run["last"], *(run[key] for key in SCORES[1:])] == [record[key] for key in SCORES]
    for place, key in enumerate(SCORES):
        rows = [one if not place else one["others"][place - 1] for one in (plain, se)]
        values = [[run["last"] if not place else run[key] for run in one["runs"]] for one in (plain, se)]
        for row, ours in zip(rows, values, strict=True):
            assert row[key] == pytest.approx(np.mean(ours))
            assert row["std"] == pytest.approx(np.std(ours, ddof=1))
        assert rows[0]["difference"] is None
        assert rows[1]["difference"]["mean"] == pytest.approx(np.mean(values[1]) - np.mean(values[0]))
        assert 0 <= rows[1]["difference"]["p_holm"] <= 1
    weights = [mx.nd.load(str(study / f"runs/{number:03d}/best.params")) for number in (0, 1)]
    assert se["params"] - plain["params"] == sum(v.size for k, v in weights[1].items() if k not in weights[0])
    assert se["macs"] > plain["macs"]
    assert plain["overhead"] == 1.0
    assert min(plain["latency"], se["latency"]) > 0
    with open(study / "results.csv", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["run", "attention", "seed", "mask AP", "best mask AP", "mask AP50", "box AP", "box AP50",
                      "seconds per epoch"]  # fmt: skip
    assert [row[:3] for row in rows] == [
        ["000", "plain", "1"], ["001", "se", "1"], ["002", "plain", "2"], ["003", "se", "2"]
    ]  # fmt: skip


def test_the_same_command_runs_nothing_again_and_the_report_shows_it(study, scenes, tmp_path, capsys):
    before = {path: path.stat().st_mtime_ns for path in study.glob("runs/*/best.params")}
    assert len(before) == 4
    page = tmp_path / "report.html"
    assert main(["report", str(study), "--output", str(page)]) == 0
    assert "points of mask AP" in capsys.readouterr().out or "cannot be told apart" in page.read_text()
    for text in ("Mask AP over cost", "box AP50", "loss of the proposals", "from its pixels to boxes and masks"):
        assert text in page.read_text()
    assert {path: path.stat().st_mtime_ns for path in before} == before
    line = ["compare", "--attentions", "identity,se", "--seeds", "2", *words(scenes), "--output", str(study)]
    assert main([*line, "--lr", "0.5"]) == 2
    assert "is a study with other options (optim.lr)" in capsys.readouterr().err


def test_all_that_is_shared_starts_with_the_same_weights(scenes):
    from gluon_attn.models.build import build
    from gluon_attn.runs.network import initialize

    plan, _ = plan_of(["--attentions", "identity,eca,cbam", "--seeds", "1", *words(scenes)])
    weights = []
    for values in plan.samples:
        config = plan.run_options(values).config()
        net = build(config.model, 10, 64)
        initialize(net, config.train, [mx.cpu()])
        found = net._collect_params_with_prefix().items()
        weights.append({name: one.data().asnumpy() for name, one in found if one.shape and 0 not in one.shape})
    plain = weights[0]
    for others in weights[1:]:
        assert set(plain) < set(others)
        for name, value in plain.items():
            np.testing.assert_array_equal(others[name], value, err_msg=name)


def test_a_plan_is_read_back(scenes):
    plan, _ = plan_of(["--attentions", "identity,eca", "--vary", "roi_samples=8,16", *words(scenes)])
    assert plan.task is DETECTION
    assert plan.score == MASK_AP
    assert plan.options.config().optim.lr_batch == 16  # the defaults are those of train_coco.py
    assert StudyPlan.from_dict(yaml.safe_load(yaml.safe_dump(plan.to_dict()))) == plan
    boxes, _ = plan_of(["--attentions", "se", *words(scenes, "faster_rcnn_fpn_resnet18_v1b", "")])
    assert boxes.score == BOX_AP
    assert plan.conflict(boxes) == "other values of model.attention, detect.roi_samples"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("--model resnet18_v1b", "resnet18_v1b is no detector; give one, such as mask_rcnn_fpn_resnet18_v1b"),
        ("--vary roi_sampels=8,16", "unknown option 'roi_sampels'; did you mean roi_samples"),
        ("--vary model=mask_rcnn_fpn_resnet18_v1b,faster_rcnn_fpn_resnet18_v1b --model-options fpn_channels=8",
         "no epoch has val_segm_mAP: faster_rcnn_fpn_resnet18_v1b has no masks"),
        ("--mixup", "unknown option --mixup"),
        ("--task segmentation", "invalid choice: 'segmentation'"),
        ("--dataset coco --data-dir nothing", "nothing"),
        ("--resume auto", "unknown option --resume"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line_and_nothing_is_written(scenes, more, message, tmp_path, capsys):
    line = ["compare", "--attentions", "identity,se", *words(scenes), *more.split(), "--output", str(tmp_path / "new")]
    assert main(line) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "new").exists()


def sweep_file(folder, **changes):
    path = folder / "sweep.yaml"
    entry = {"method": "grid", "parameters": {"att": {"values": ["ECA", "SE"]}, "roi_samples": {"value": 8}}, **changes}
    path.write_text(yaml.safe_dump(entry))
    return str(path)


@pytest.mark.parametrize("program", [None, "tools/train_coco.py"])
def test_a_sweep_of_detectors(scenes, tmp_path, program):
    file = sweep_file(tmp_path, **({"program": program} if program else {}))
    options, found, own = options_of([file, *words(scenes)[0 if program is None else 2 :]])
    plan = make_plan(found, options)
    assert plan.task is DETECTION
    assert plan.score == MASK_AP
    assert own["file"] == file
    config = plan.run_options({"model.attention": "eca"}).config()
    assert (config.detect.roi_samples, config.optim.lr_batch) == (16, 16)  # flags win over the file


@pytest.mark.parametrize(
    ("name", "ours"),
    [("segm_mAP", "val_segm_mAP"), ("val/bbox_mAP_50", "val_bbox_mAP_50"), ("val_bbox_mAP", "val_bbox_mAP")],
)
def test_metrics_of_detectors(scenes, tmp_path, name, ours):
    file = sweep_file(tmp_path, metric={"name": name, "goal": "maximize"})
    assert options_of([file, *words(scenes)])[1].score.key == ours


@pytest.mark.parametrize(
    ("changes", "more", "message"),
    [
        ({"metric": {"name": "val_accuracy", "goal": "maximize"}}, "", "metric 'val_accuracy' is not known here: take"),
        ({"metric": {"name": "segm_mAP"}}, "", "key metric.goal is minimize, which makes val_segm_mAP worse"),
        ({"program": "train_cifar.py"}, "", "its program train_cifar.py does classification, not detection: give --ta"),
        ({"program": "train_coco.py"}, "--task classification", "does detection, not classification: give --task det"),
        ({"parameters": {"mixup": {"values": [0, 1]}}}, "", "unknown option 'mixup'"),
    ],
)
def test_sweeps_that_do_not_fit_are_one_line(scenes, tmp_path, changes, more, message, capsys):
    line = ["sweep", sweep_file(tmp_path, **changes), *words(scenes)] if not more else []
    line = line or ["sweep", sweep_file(tmp_path, **changes), *more.split(), "--dataset", "digits"]
    assert main([*line, "--output", str(tmp_path / "new")]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_epochs_without_an_evaluation_are_not_reported():
    class Attempt:
        reported: list = []

        def report(self, score, epoch, is_last):
            self.reported.append((score, epoch, is_last))

    trainer = SimpleNamespace(config=SimpleNamespace(train=SimpleNamespace(num_epochs=4)))
    reporter = Reporter(Attempt(), MASK_AP)
    for epoch in range(4):
        reporter.epoch_end(trainer, {"epoch": epoch, **({MASK_AP.key: epoch / 10} if epoch % 2 else {})})
    assert Attempt.reported == [(0.1, 2, False), (0.3, 4, True)]
