"""Commands that start at the same moment, as processes: each has a folder of its own, or is told that it is in use."""

import os
import shlex
import subprocess
import sys

import pytest
from conftest import ROOT

SMALL = (
    "--dataset synthetic --train-images 16 --val-images 4 --classes 2 --input-size 8 -b 4 -j 0 --num-epochs 1 "
    "--kernels off"
)
NETWORK = f"{SMALL} --model cifar_resnet20_v1 --attention se"
CELLS = f"{SMALL} --draw-every 0 --operations none,skip_connect,sep_conv_3x3 --nodes 1"


def together(folder, *lines):
    """(exit code, error lines) of each command line; all are started before one is waited for."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "gluon_attn", *shlex.split(line)], cwd=folder, env=variables, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for line in lines
    ]  # fmt: skip
    said = [process.communicate(timeout=300)[1] for process in started]
    errors = [[text for text in err.splitlines() if text.startswith(("error", "Traceback"))] for err in said]
    return [(process.returncode, found) for process, found in zip(started, errors, strict=True)]


@pytest.mark.parametrize(
    ("line", "name", "files"),
    [
        (f"train {NETWORK}", "synthetic-cifar_resnet20_v1-se", ["config.yaml", "checkpoints/epoch-0001", "card.json"]),
        pytest.param(f"search att-darts {CELLS} --layers 3 --channels 4 --attentions se", "att_darts-synthetic",
                     ["config.yaml", "checkpoints/epoch-0001", "genotype.json"], marks=pytest.mark.slow),
        pytest.param(f"search anas {CELLS} --seeds 1,2", "anas-synthetic-seeds",
                     ["seeds.json", "seed-1/config.yaml", "seed-1/log.txt", "seed-2/checkpoints/epoch-0001"],
                     marks=pytest.mark.slow),
        pytest.param(f"search anas {CELLS} --random-search --retrain-epochs 1", "anas-synthetic-random",
                     ["config.yaml", "chance.json", "genotype.json"], marks=pytest.mark.slow),
        pytest.param(f"search ean --all {NETWORK} --hold-out 1 --steps 1", "ean_all-synthetic-cifar_resnet20_v1-se",
                     ["supernet/config.yaml", "search/best.json", "train/best.params"], marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_without_a_folder_each_gets_its_own(line, name, files, tmp_path):
    assert together(tmp_path, line, f"{line} --lr 0.01") == [(0, []), (0, [])]
    folders = sorted((tmp_path / "runs").iterdir())
    assert [folder.name for folder in folders] == [name, f"{name}-2"]
    for folder in folders:
        assert all((folder / file).exists() for file in files)
    rates = [any("lr: 0.01\n" in file.read_text() for file in folder.rglob("config.yaml")) for folder in folders]
    assert sorted(rates) == [False, True]  # each config is of one command, whose log has one run
    if (folders[0] / "log.txt").exists() and "train" in line[:5]:
        assert [(folder / "log.txt").read_text().count("epoch 0:") for folder in folders] == [1, 1]


def test_with_the_same_folder_one_is_told(tmp_path):
    line = f"train {NETWORK} --train-images 400 --run-dir mine"
    (code, errors), *others = sorted(together(tmp_path, line, line), key=str)
    assert (code, errors, [code for code, _ in others]) == (0, [], [2])
    (told,) = others[0][1]
    assert told == "error: mine is in use by another run: choose another --run-dir, or wait"
    assert (tmp_path / "mine/log.txt").read_text().count("epoch 0:") == 1


def test_a_killed_or_failed_run_does_not_block_the_corrected_command(tmp_path):
    wrong, right = f"train {NETWORK} --lr 1e30 --run-dir mine", f"train {NETWORK} --run-dir mine"
    ((code, errors),) = together(tmp_path, wrong)
    assert (code, len(errors)) == (1, 1)
    assert not (tmp_path / "mine/checkpoints").exists()
    (tmp_path / "mine/notes.txt").write_text("x")
    assert together(tmp_path, right) == [(0, [])]
    text = (tmp_path / "mine/log.txt").read_text()
    assert text.count("ended before its first checkpoint") == text.count("epoch 0:") == 1
    assert (tmp_path / "mine/notes.txt").read_text() == "x"
    ((code, errors),) = together(tmp_path, right)
    assert (code, errors) == (
        2, ["error: mine already holds a run: give --resume auto to resume it, or another --run-dir"],
    )  # fmt: skip


@pytest.mark.slow
def test_exports_into_one_folder_at_once(run, tmp_path):
    line = f"export {run} --format symbol onnx --output {tmp_path}/out"
    done = together(tmp_path, line, line)
    told = f"error: another export writes to {tmp_path}/out: wait for it, or choose another --output"
    assert (0, []) in done
    assert all(one in ((0, []), (2, [told])) for one in done)
    assert not [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]
    assert together(tmp_path, f"eval {tmp_path}/out/run-symbol.json", f"eval {tmp_path}/out/run.onnx") == [(0, [])] * 2
