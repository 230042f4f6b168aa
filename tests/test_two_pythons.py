"""Two environments, such as Python 3.11 with NumPy 1.26 and Python 3.13 with NumPy 2: same results, and runs go on.

The other one's Python is named by GLUON_ATTN_OTHER_PYTHON; both compute with two threads, on one machine.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gluon_attn.nn.params import read_params

ROOT = Path(__file__).resolve().parents[1]
OTHER = os.environ.get("GLUON_ATTN_OTHER_PYTHON", "")
PYTHONS = {"this": sys.executable, "other": OTHER}
TRAIN = ["train_cifar.py", "--dataset", "digits", "--model", "cifar_resnet20_v1", "--attention", "eca", "--ema", "0.9",
         "--batch-size", "64", "--lr", "0.05", "--mixup", "--warmup-epochs", "1", "--save-period", "1",
         "--keep-checkpoints", "9"]  # fmt: skip
SEARCH = ["search.py", "att-darts", "--dataset", "synthetic", "--train-images", "96", "--batch-size", "16",
          "--layers", "3", "--channels", "4"]  # fmt: skip

pytestmark = pytest.mark.skipif(not OTHER, reason="GLUON_ATTN_OTHER_PYTHON names no Python of another environment")


def command(which, words, folder, epochs):
    """Run a script of ours with one of the Pythons, for so many epochs in all."""
    words = [str(ROOT / words[0]), *words[1:], "--num-epochs", str(epochs), "--run-dir", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2", "MPLBACKEND": "Agg"}
    done = subprocess.run([PYTHONS[which], *words], env=environment, cwd=folder.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def tensors(folder):
    """Name of file and tensor -> its bits, of all parameter files of a run."""
    files = sorted(folder.rglob("*.params"))
    assert files
    return {
        (str(path.relative_to(folder)), name): value.asnumpy().tobytes()
        for path in files for name, value in read_params(path).items()
    }  # fmt: skip


def figures(folder):
    """What the epochs of a run gave, times apart."""
    lines = map(json.loads, (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines())
    return [{name: value for name, value in line.items() if "second" not in name} for line in lines]


@pytest.fixture(scope="module", params=[TRAIN, SEARCH], ids=["train", "search"])
def runs(request, tmp_path_factory):
    """(the words of a command, folder with a run of two epochs and one of three by each Python)."""
    folder = tmp_path_factory.mktemp("runs")
    for which in PYTHONS:
        command(which, request.param, folder / which, 2)
        shutil.copytree(folder / which, folder / f"{which}-2")
        command(which, [*request.param, "--resume", "auto"], folder / which, 3)
    return request.param, folder


def test_they_are_two_environments():
    text = "import sys, numpy; print(sys.version_info[:2], numpy.__version__)"
    ours, theirs = (subprocess.check_output([python, "-c", text], text=True) for python in PYTHONS.values())
    assert ours != theirs


@pytest.mark.parametrize("end", ["-2", ""])
def test_weights_are_equal_to_the_bit(runs, end):
    _, folder = runs
    assert tensors(folder / f"this{end}") == tensors(folder / f"other{end}")
    for ours, theirs in zip(figures(folder / f"this{end}"), figures(folder / f"other{end}"), strict=True):
        for name, value in ours.items():  # NumPy's logarithm, of which entropies are, may differ in the last bit
            assert theirs[name] == (pytest.approx(value, rel=1e-15) if isinstance(value, float) else value), name


@pytest.mark.parametrize(("first", "second"), [("this", "other"), ("other", "this")])
def test_a_run_goes_on_with_the_other(runs, first, second):
    words, folder = runs
    moved = folder / f"{first}-{second}"
    shutil.copytree(folder / f"{first}-2", moved)
    command(second, [*words, "--resume", "auto"], moved, 3)
    assert tensors(moved) == tensors(folder / first)
