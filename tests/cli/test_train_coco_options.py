"""train_coco.py: resuming by name, what must not change then, measuring, canvases, logs, errors in training."""

import datetime
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tiny_detector import params, records, timeless, words

pytest.importorskip("pycocotools", reason="needs pycocotools")

from gluon_attn.cli import main, train_coco
from gluon_attn.engine import precision

SCRIPT = Path(__file__).parents[2] / "train_coco.py"


@pytest.fixture
def interrupted(trained, tmp_path):
    """That run as it was after its first epoch."""
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    shutil.rmtree(folder / "checkpoints/epoch-0002")
    return folder


@pytest.mark.parametrize("name", ["{run}/checkpoints/epoch-0001", "{run}/epoch_1.pth", "epoch_1", "{run}"])
def test_resuming_from_a_checkpoint_by_its_name(name, interrupted, trained):
    line = ["--resume-from", name.format(run=interrupted)]
    assert train_coco([*line, *(["--run-dir", str(interrupted)] if "{run}" not in name else [])]) == 0
    wanted = params(trained)
    for key, value in params(interrupted).items():
        np.testing.assert_array_equal(value, wanted[key], err_msg=key)
    assert list(map(timeless, records(interrupted))) == list(map(timeless, records(trained)))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("--resume-from {run}/epoch_1", "has checkpoints after epoch-0001, which would be written over (epoch-0002)"),
        ("--resume-from {run}/epoch_7", "has no checkpoint of epoch 7; it has epoch-0001, epoch-0002"),
        ("--resume-from {run}/epoch_2 --run-dir other", "the run in {run}, --run-dir the one in other: leave one out"),
        ("--resume-from {run}/best.params", "best.params is a file, a checkpoint is a folder: weights to start from"),
        ("--resume-from epoch_5.pth", "epoch_5.pth is a checkpoint of another program, whose training cannot be"),
        ("--resume-from epoch_9", "--resume epoch_9: there is no such run to resume"),
        ("--resume-from nothing", "--resume takes auto, got 'nothing'; or a run folder or its checkpoint"),
        *(
            (f"--run-dir {{run}} --resume auto {flags}", f"was made with other options ({name}): start a new run")
            for flags, name in {
                "--lr 0.0025": "optim.lr", "--wd 0.1": "optim.wd", "--lr-decay-epoch 1": "optim.lr_decay_epoch",
                "--warmup-updates 9": "optim.warmup_updates", "-b 1": "data.batch_size",
                "--lr-batch 8": "optim.lr_batch",
                "--norm-eval": "detect.norm_eval", "--seed 2": "train.seed",
            }.items()
        ),
        ("--run-dir {run} --resume auto --schedule 2x", "detect.schedule"),
    ],
)  # fmt: skip
def test_what_cannot_be_resumed_is_one_line_and_changes_nothing(more, said, trained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "epoch_5.pth").write_bytes(b"PK")
    before = {path: path.stat().st_mtime_ns for path in trained.rglob("*") if path.is_file()}
    assert train_coco(more.format(run=trained).split()) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert said.format(run=trained) in error
    assert {path: path.stat().st_mtime_ns for path in trained.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["epoch_5.pth"]


def test_a_longer_run_goes_on_with_the_same_rate(interrupted):
    assert (
        train_coco(["--run-dir", str(interrupted), "--resume", "auto", "--num-epochs", "3", "--eval-every", "3"]) == 0
    )
    found = records(interrupted)
    assert [record["epoch"] for record in found] == [0, 1, 2]
    assert found[1]["lr"] == found[2]["lr"] == pytest.approx(0.0025)
    assert ["val_segm_mAP" in record for record in found] == [True, False, True]


def test_measuring(scenes, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    own = words("none")
    assert train_coco([*own, "--benchmark", "--benchmark-batches", "2"]) == 0
    line = (
        r"mask_rcnn_fpn_resnet18_v1b, 2 images of 3x64x64 on cpu\(0\), float32: \d+\.\d img/s, peak memory [\d.]+ GB\n"
    )
    assert re.fullmatch(line, capsys.readouterr().out)
    assert train_coco([*words(scenes), "--data-benchmark", "--benchmark-batches", "2"]) == 0
    assert re.fullmatch(r"digit-scenes, images of 3x64x64, 0 workers: \d+\.\d img/s\n", capsys.readouterr().out)
    assert list(tmp_path.iterdir()) == []


def test_the_layers_of_all_graphs_are_printed(scenes, tmp_path, capsys):
    assert train_coco(words(scenes, "--run-dir", tmp_path / "run", "--num-epochs", 1, "--summary")) == 0
    said = capsys.readouterr().out
    for layer in ("PyramidGraph", "BoxHead", "MaskHead"):
        assert layer in said


def test_attentions_bound_to_positions_need_a_square_canvas(tmp_path, capsys):
    line = ["--min-size", "64", "--max-size", "96", "--num-epochs", "1", "--run-dir", tmp_path / "run"]
    own = words(tmp_path / "set", *line, model="mask_rcnn_fpn_resnet18_v1b --attention aa")
    assert train_coco(own) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error == "error: attention aa is bound to positions, the images come in 64x96 and 96x64: give --square"
    assert train_coco([*own, "--square"]) == 0
    assert json.loads((tmp_path / "run/card.json").read_text())["detection"]["canvases"] == [[96, 96], [96, 96]]
    (record,) = records(tmp_path / "run")
    capsys.readouterr()
    assert main(["eval", str(tmp_path / "run"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bbox_mAP"] == pytest.approx(record["val_bbox_mAP"], abs=1e-9)
    image = next((tmp_path / "set/val2017").iterdir())
    assert main(["predict", str(image), "--model", str(tmp_path / "run"), "--output", str(tmp_path / "out")]) == 0
    assert (tmp_path / f"out/{image.stem}.png").is_file()


@pytest.mark.parametrize(("has", "said"), [(True, "bfloat16"), (False, "float32")])
def test_float16_on_a_cpu_is_one_warning(has, said, scenes, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(precision.get_logger(), "disabled", False)
    monkeypatch.setattr("gluon_attn.engine.trainer.cpu.has_bfloat16", lambda host: has)
    assert train_coco(words(scenes, "--run-dir", tmp_path / "run", "--num-epochs", 1, "--dtype", "float16")) == 0
    warned = [line for line in capsys.readouterr().err.splitlines() if "float16:" in line]
    assert len(warned) == 1
    assert warned[0].endswith(f"a CPU computes no float16: training in {said}")


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_its_checkpoint(interrupted, scenes, monkeypatch, capsys):
    from gluon_attn.detect import task

    learn = task.learn
    monkeypatch.setattr(task, "learn", lambda *args: {k: v + float("nan") for k, v in learn(*args).items()})
    before = params(interrupted)
    assert train_coco(["--run-dir", str(interrupted), "--resume", "auto"]) == 1
    (error,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert "the loss became nan in epoch 1, batch 0, at learning rate" in error
    assert error.endswith("the last checkpoint is " + str(interrupted / "checkpoints/epoch-0001"))
    for name, value in params(interrupted).items():
        np.testing.assert_array_equal(value, before[name])


def test_the_log_has_a_table_of_the_classes_of_the_best_epoch(trained):
    best = max(records(trained), key=lambda record: record["val_segm_mAP"])
    log = (trained / "log.txt").read_text()
    table = log.split(f"classes in epoch {best['epoch']}:\n")[1].splitlines()
    assert table[0].split() == ["class", "bbox", "AP", "segm", "AP"]
    for line in table[1:11]:
        name, *figures = line.split()
        for kind, figure in zip(("bbox", "segm"), figures, strict=True):
            value = best[f"val_{kind}_per_class"][name]
            assert figure == ("-" if value is None else f"{value:.3f}")


def test_lines_of_the_log_are_right(trained):
    line = r"epoch (\d+) batch (\d+)/3: lr (\S+), eta (\S+), time (\S+), data_time (\S+), memory (\d+) MB, (.*)"
    found = re.findall(line, (trained / "log.txt").read_text())
    assert [(epoch, batch) for epoch, batch, *_ in found] == [("0", "2"), ("1", "2")]
    for _, _, rate, eta, seconds, waiting, memory, rest in found:
        assert float(rate) == pytest.approx(0.0025)
        hours, minutes, left = map(int, eta.split(":"))
        assert datetime.timedelta(hours=hours, minutes=minutes, seconds=left).total_seconds() <= 10 * float(seconds) + 1
        assert 0 <= float(waiting) <= float(seconds)
        assert 50 < int(memory) < 100_000
        values = {name: float(value) for name, value in (part.split(" ") for part in rest.split(", "))}
        losses = sum(value for name, value in values.items() if name.startswith("loss_"))
        assert values["loss"] == pytest.approx(losses, abs=5e-4)
        assert 0 <= values["acc"] <= 1


def test_tensorboard_has_all_losses_and_figures(scenes, tmp_path):
    pytest.importorskip("tensorboardX")
    assert train_coco(words(scenes, "--run-dir", tmp_path / "run", "--num-epochs", 1, "--tensorboard")) == 0
    (file,) = (tmp_path / "run/events").iterdir()
    content = file.read_bytes()
    for name in ("train_loss_mask", "train_loss_rpn_bbox", "train_acc", "val_bbox_mAP_50", "val_segm_AR_100"):
        assert name.encode() in content
    assert re.search(rb"val_bbox_per_class/\d", content)


def test_curves_go_where_they_are_asked_for(scenes, tmp_path):
    more = ("--run-dir", tmp_path / "run", "--num-epochs", 1, "--save-plot-dir", tmp_path / "plots")
    assert train_coco(words(scenes, *more)) == 0
    assert len(list((tmp_path / "plots").glob("*_history.png"))) == 1
    assert not (tmp_path / "run/history.png").exists()


def test_weights_and_biases_get_pictures_of_test_images(run_command, scenes, tmp_path):
    pytest.importorskip("wandb")
    own = {"HOME": str(tmp_path), "NETRC": str(tmp_path / "netrc"), "WANDB_API_KEY": None, "WANDB_MODE": "offline"}
    line = words(scenes, "--run-dir", tmp_path / "run", "--wandb", "--eval-every", 2, "--kernels", "off")
    done = run_command(SCRIPT, *line, env=own, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    (file,) = (tmp_path / "run/wandb").glob("offline-run-*/run-*.wandb")
    content = file.read_bytes()
    assert b"val_segm_mAP" in content
    pictures = sorted(path.name for path in (tmp_path / "run/wandb").rglob("*.png"))
    assert len(pictures) == 3  # of the three test images, in the evaluated epoch
