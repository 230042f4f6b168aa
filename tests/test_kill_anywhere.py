"""Work that is killed at random moments loses nothing, and the script that kills it sees what is lost."""

import json
import sys
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import kill_anywhere  # noqa: E402
from benchmarks.lib.killed import WORKS, damaged, hashes  # noqa: E402


def test_what_is_not_whole_is_found(tmp_path):
    folder = tmp_path / "run/checkpoints/epoch-0001"
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text("{}")
    mx.nd.save(str(tmp_path / "whole.params"), {"a": mx.nd.ones(3)})
    (tmp_path / "cut.params").write_bytes((tmp_path / "whole.params").read_bytes()[:-4])
    (tmp_path / "cut.jsonl").write_text('{"epoch": 0}\n{"epoch')
    (tmp_path / "page.html").write_text("<html>")
    (tmp_path / ".half").mkdir()
    (tmp_path / ".half/net.json").write_text("{")  # has no final name yet
    found = [line.split(":")[0] for line in damaged(tmp_path)]
    assert found == ["cut.jsonl", "cut.params", "page.html", "run/checkpoints/epoch-0001/meta.json"]


def test_an_epoch_that_was_said_to_be_done_must_be_there(tmp_path):
    output = (
        "epoch 0 batch 5/9 loss 1.0\nepoch 0: train loss 1.0, 2.0 s\nepoch 0: entropy 1.0\nepoch 1: train loss 1.0\n"
    )
    assert WORKS["ANAS"].said(output, tmp_path) == (2, 0)
    (tmp_path / "run/checkpoints/epoch-0002").mkdir(parents=True)
    (tmp_path / "run/metrics.jsonl").write_text("{}\n{}\n")
    assert WORKS["ANAS"].said(output, tmp_path) == (2, 2)
    assert WORKS["EAN"].said("ean step 3/9: rewards\n", tmp_path) == (3, 0)


def test_times_are_no_results(tmp_path):
    (tmp_path / "run").mkdir()
    seen = []
    for loss, seconds in ((1.0, 2.0), (1.0, 3.0), (2.0, 3.0)):
        (tmp_path / "run/metrics.jsonl").write_text(json.dumps({"loss": loss, "seconds": seconds}) + "\n")
        seen.append(hashes("training", tmp_path))
    assert seen[0] == seen[1] != seen[2]


def killed(name, moments, folder):
    work = kill_anywhere.Killed(name, folder, np.random.default_rng(5))
    while work.kills < moments:
        work.row(min(kill_anywhere.IN_A_ROW, moments - work.kills))
    return work.faults


def test_training_that_is_killed_ends_the_same(tmp_path):
    assert killed("training", 1, tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", WORKS)
def test_all_work_that_is_killed_ends_the_same(name, tmp_path):
    if name == "export":
        pytest.importorskip("openvino")
        pytest.importorskip("onnx")
    if name == "study":
        pytest.importorskip("optuna")
    if name == "convert":
        pytest.importorskip("safetensors")
    assert killed(name, 3, tmp_path) == []
