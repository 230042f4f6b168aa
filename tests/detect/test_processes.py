"""A detector in two processes: the same as in one with the same global batch, also in evaluation and when resumed."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from tiny_detector import params, records, timeless, words

pytest.importorskip("pycocotools", reason="needs pycocotools")

from gluon_attn.cli import train_coco

ROOT = Path(__file__).parents[2]
RUNNER = Path(sys.executable).with_name("horovodrun")
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("horovod") is None or not RUNNER.exists(), reason="Horovod is not built: make horovod"
)
#: two images an epoch: the weights after the first epoch tell the gradients of its only update
LINE = ("--train-count", 2, "--val-count", 5, "--norm-eval", "--wd", 0, "--warmup-updates", 1, "--keep-checkpoints", 5)


def together(*more):
    """The run in two processes, one image each."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    command = [RUNNER, "-np", "2", "--gloo", "--network-interface", "lo", sys.executable, ROOT / "train_coco.py", *more]
    done = subprocess.run(
        list(map(str, command)), env=variables, capture_output=True, text=True, timeout=200, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """(folder of the scenes, run in one process, in two, the same resumed after its first epoch)."""
    folder = tmp_path_factory.mktemp("processes")
    scenes, alone, both, resumed = (folder / name for name in ("scenes", "alone", "both", "resumed"))
    assert train_coco(words(scenes, *LINE, "--run-dir", alone)) == 0
    said = together(*words(scenes, *LINE, "-b", 1, "--run-dir", both))
    assert said.count("epoch 1: train loss") == 1
    assert "lr 0.0025 = 0.02 x 2 / 16" in said
    shutil.copytree(both, resumed)
    shutil.rmtree(resumed / "checkpoints/epoch-0002")
    together("--resume-from", resumed / "checkpoints/epoch-0001")
    return scenes, alone, both, resumed


def test_losses_and_figures_are_those_of_one_process(runs):
    _, alone, both, _ = runs
    for ours, wanted in zip(records(both), records(alone), strict=True):
        losses = [key for key in wanted if key.startswith("train_loss")]
        assert len(losses) == 6
        for key in losses:
            assert ours[key] == pytest.approx(wanted[key], rel=1e-6 if ours["epoch"] == 0 else 1e-4), key
        figures = [key for key in wanted if key.startswith("val_")]
        assert len(figures) == 26
        for key in figures:
            assert ours[key] == (wanted[key] if isinstance(wanted[key], dict) else pytest.approx(wanted[key])), key


def test_gradients_and_weights_are_those_of_one_process(runs):
    """After the first update the momentum is the rate times the mean gradient."""
    _, alone, both, _ = runs
    file = "checkpoints/epoch-0001/optimizer.params"
    momenta = [mx.nd.load(str(folder / file)) for folder in (both, alone)]
    pairs = [[{name: value.asnumpy() for name, value in one.items() if name} for one in momenta]]
    pairs.append([params(both), params(alone)])
    for found, wanted in pairs:
        assert set(found) == set(wanted)
        for name, value in wanted.items():
            assert np.abs(found[name] - value).max() <= 1e-4 * np.abs(value).max() + 1e-9, name


def test_resuming_ends_alike_to_the_last_bit(runs):
    _, _, both, resumed = runs
    ours, wanted = params(resumed), params(both)
    for name, value in wanted.items():
        np.testing.assert_array_equal(ours[name], value, err_msg=name)
    assert list(map(timeless, records(resumed))) == list(map(timeless, records(both)))
