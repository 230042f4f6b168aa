"""train_cifar.py as a user runs it."""

import functools
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gluon_attn.cli import train_cifar
from gluon_attn.nn.params import read_params

SCRIPT = Path(__file__).parents[2] / "train_cifar.py"
PUBLISHED = (
    "--gpus 0 --num-epochs 400 --mode hybrid -j 32 --batch-size 128 --wd 0.0001 --lr 0.2 --lr-decay 0.1 "
    "--lr-decay-epoch 300,350 --dataset cifar100 --model atac --act-type ChaATAC --useReLU --r 2 --blocks 3"
)
SMALL = (
    "--dataset synthetic --train-images 64 --val-images 32 --classes 4 --input-size 16 --batch-size 16 -j 1 "
    "--model cifar_resnet20_v1 --attention eca --lr 0.02 --lr-mode cosine --num-epochs 4 --log-interval 1 --seed 5"
)

TIMES = ("seconds", "data_seconds", "images_per_second")


#: two threads, whatever the tests have: runs that end alike to the last bit do so with them, too
VARIABLES = {**os.environ, "OMP_NUM_THREADS": "2"}


def start(arguments, cwd):
    """The script in a process of its own."""
    command = [sys.executable, str(SCRIPT), *shlex.split(arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, env=VARIABLES)


@pytest.fixture
def train(call):
    """The script's entry point in this process: `train(arguments, cwd)`."""
    return functools.partial(call, train_cifar)


def last_weights(folder):
    newest = max((folder / "checkpoints").iterdir())
    return {name: value.asnumpy() for name, value in read_params(newest / "net.params").items()}


def history(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in TIMES} for line in lines]


def test_the_published_atac_command_runs_as_printed(tmp_path):
    few = "--dataset synthetic --train-images 256 --val-images 64 --num-epochs 1 --blocks 1"
    done = start(f"{PUBLISHED} {few}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("no usable GPU here") == 1
    folder = tmp_path / "runs/synthetic-atac-ChaATAC"
    assert {path.name for path in folder.iterdir()} == {
        ".lock", "best.params", "card.json", "checkpoints", "config.yaml", "history.png", "log.txt", "metrics.jsonl",
    }  # fmt: skip
    card = json.loads((folder / "card.json").read_text())
    assert card["model"] == "atac_cifar_resnet"
    assert card["options"] == {
        "blocks": 1, "act_type": "ChaATAC", "reduction": 2, "relu": True, "global_pool": False, "input_size": 32,
    }  # fmt: skip
    assert len(history(folder)) == 1


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    done = start(f"{SMALL} --run-dir run", folder)
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The folder of the same run, killed with SIGKILL in its third epoch, when it logs a batch."""
    folder = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-u", str(SCRIPT), *shlex.split(f"{SMALL} --run-dir run")]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=VARIABLES) as process:
        for line in process.stderr:
            if line.startswith("epoch 2 batch 2/"):
                os.kill(process.pid, signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    return folder / "run"


def test_a_killed_run_resumes_to_the_same_bits(unbroken, killed, tmp_path):
    shutil.copytree(killed, tmp_path / "run")
    done = start(f"{SMALL} --run-dir run --resume auto", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "resuming after epoch 1" in done.stderr
    expected, found = last_weights(unbroken), last_weights(tmp_path / "run")
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)
    assert history(tmp_path / "run") == history(unbroken)


def test_ctrl_c_says_the_command_that_goes_on(unbroken, tmp_path):
    command = [sys.executable, "-u", str(SCRIPT), *shlex.split(f"{SMALL} --run-dir run")]
    with subprocess.Popen(
            command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=VARIABLES,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job ignores it
        ) as process:  # fmt: skip
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("epoch 2 batch 2/"):
                os.kill(process.pid, signal.SIGINT)
    assert process.returncode == 130
    before, _, words = said[-1].partition(f"error: interrupted; to resume: python {SCRIPT} ")
    assert (before, words) == ("", f"{SMALL} --run-dir run --resume auto\n")
    assert start(words, tmp_path).returncode == 0
    assert history(tmp_path / "run") == history(unbroken)


def test_the_first_line_says_what_runs(unbroken):
    first = (unbroken / "log.txt").read_text().splitlines()[0]
    assert first.endswith(
        " INFO cifar_resnet20_v1 with eca, 272,111 parameters; synthetic, 64 training and 32 test images of 16x16, "
        "4 classes; CPU, 2 threads, float32; run folder run"
    )


def test_a_damaged_checkpoint_is_passed_over_and_the_run_still_ends_alike(unbroken, killed, tmp_path):
    shutil.copytree(killed, tmp_path / "run")
    newest = max((tmp_path / "run/checkpoints").iterdir())
    (newest / "net.params").write_bytes(b"damaged")
    done = start("--run-dir run --resume auto", tmp_path)  # the run folder knows its own options
    assert done.returncode == 0, done.stderr
    assert f"checkpoint run/checkpoints/{newest.name} is damaged; the checkpoint before it is used" in done.stderr
    assert history(tmp_path / "run") == history(unbroken)


def test_resume_finds_the_run_by_its_options(tmp_path, train):
    short = SMALL.replace("--num-epochs 4", "--num-epochs 1")
    for arguments, name in ((short, "-eca"), (f"{short} --lr 0.03", "-eca-2")):
        assert train(arguments, tmp_path).returncode == 0
        assert (tmp_path / f"runs/synthetic-cifar_resnet20_v1{name}/best.params").exists()
    done = train(f"{short} --num-epochs 2 --resume auto", tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(history(tmp_path / "runs/synthetic-cifar_resnet20_v1-eca")) == 2
    assert len(history(tmp_path / "runs/synthetic-cifar_resnet20_v1-eca-2")) == 1
    done = train(f"{short} --num-epochs 2 --resume auto", tmp_path)
    assert "nothing is left to train, the run has 2 of 2 epochs" in done.stderr


def test_a_run_is_not_overwritten_and_not_continued_with_other_options(unbroken, train):
    done = train(f"{SMALL} --run-dir run", unbroken.parent)
    assert done.returncode == 2
    assert "already holds a run: give --resume auto to resume it, or another --run-dir" in done.stderr
    done = train(f"{SMALL} --run-dir run --resume auto --lr 0.5", unbroken.parent)
    assert done.returncode == 2
    assert "made with other options (optim.lr)" in done.stderr


def test_a_diverging_run_exits_1_and_names_the_checkpoint(tmp_path, train):
    done = train(f"{SMALL} --num-epochs 3 --lr 1e30 --lr-mode step --warmup-epochs 2 --run-dir run", tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()[-1].split("; ")) >= 2
    assert "checkpoint" in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_files_where_the_flags_put_them(tmp_path, train):
    flags = "--save-period 1 --save-dir kept --save-plot-dir plots --summary --tensorboard --mode imperative"
    done = train(f"{SMALL} --num-epochs 1 --run-dir run {flags}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["synthetic-cifar_resnet20_v1-eca-0001.params"]
    assert (tmp_path / "plots/synthetic-cifar_resnet20_v1-eca_history.png").read_bytes()[1:4] == b"PNG"
    assert "Total params: " in done.stdout
    assert any(path.name.startswith("events.out") for path in (tmp_path / "run/events").iterdir())


def test_flags_of_the_loop_reach_it(tmp_path, train):
    flags = "--accumulate 3 --ema 0.9 --freeze features.0 --dtype float16 --lr-scaling sqrt --lr-batch 12 --patience 9"
    done = train(f"{SMALL} --num-epochs 1 --run-dir run {flags}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("a CPU computes no float16: training in ") == 1
    newest = tmp_path / "run/checkpoints/epoch-0001"
    meta = json.loads((newest / "meta.json").read_text())
    assert (meta["updates_per_epoch"], meta["averaged_updates"], meta["processes"]) == (2, 2, 1)
    own, means, best = (
        read_params(path) for path in (newest / "net.params", newest / "average.params", tmp_path / "run/best.params")
    )
    moved = [name for name in own if (own[name] != means[name]).sum().asscalar()]
    assert moved
    assert not any(name.startswith("features.0.") for name in moved)
    for name, mean in means.items():
        np.testing.assert_array_equal(best[name].asnumpy(), mean.asnumpy(), err_msg=name)


def test_a_run_learns_from_another(unbroken, tmp_path, train):
    taught = f"{SMALL} --num-epochs 1 --run-dir run --teacher {unbroken} --temperature 4"
    done = train(taught, tmp_path)
    assert done.returncode == 0, done.stderr
    assert history(tmp_path / "run")[0]["train_loss"] > history(unbroken)[0]["train_loss"]
    done = train(f"{taught} --resume auto --num-epochs 2 --hard-weight 0.1", tmp_path)
    assert done.returncode == 2
    assert "made with other options (distill.hard_weight)" in done.stderr


BAD = {
    "--batch-size 0": "--batch-size must be at least 1",
    "--model cifar_resnet21_v1": "unknown model 'cifar_resnet21_v1'; did you mean",
    "--attention sse": "unknown attention 'sse'; did you mean ",
    "--dataset cifar11": "unknown dataset 'cifar11'; did you mean cifar10",
    "--attention se --attention-options reductions=4": "has no option 'reductions'; did you mean reduction",
    "--learning-rte 0.1": "unknown option --learning-rte, did you mean --learning-rate?",
    "--optimizer adamm": "did you mean adam",
    "--lr-mode cosines": "--lr-mode must be one of step, cosine, poly",
    "--num-epochs many": "--num-epochs takes a whole number",
    "--dataset cifar10 --data-dir nowhere": "nowhere",
    "--pretrained nothing.params": "nothing.params does not exist",
    "--config missing.yaml": "cannot read config missing.yaml",
    "--resume yes": "--resume takes auto",
    "--resume runs/nothing": "--resume: runs/nothing does not exist; name a run folder",
    "--run-dir file/run": "cannot write to file/run",
    "--plan plan.json": "--plan already says which attention is where: leave out --attention",
    "--gpus 0 --num-gpus 1": "not both",
    "--freeze nothing": "--freeze nothing matches no parameter",
    "--lr-batch 8": "--lr-batch needs --lr-scaling",
    "--temperature 2": "--temperature needs --teacher",
    "--teacher resnet50_v1b": "there are no published parameters of 'resnet50_v1b' as it is asked for, with 4 classes",
    "--teacher runs/none": "runs/none is not a run folder: it has no card.json",
}


@pytest.mark.parametrize("flags", BAD)
def test_bad_input_is_one_line_and_leaves_nothing(flags, tmp_path, train):
    (tmp_path / "file").write_text("")
    done = train(flags if "cifar10" in flags else f"{SMALL} {flags}", tmp_path)
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert BAD[flags] in lines[0]
    assert not (tmp_path / "runs").exists(), sorted((tmp_path / "runs").rglob("*"))


def test_an_unknown_config_key_names_the_nearest(tmp_path, train):
    (tmp_path / "recipe.yaml").write_text("optim:\n  learning_rate: 0.1\n")
    done = train("--config recipe.yaml", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: unknown config key 'optim.learning_rate'")


def test_flags_win_over_the_recipe_and_both_are_written_down(tmp_path, train):
    (tmp_path / "recipe.yaml").write_text(
        "data: {dataset: synthetic, train_images: 32, val_images: 16, batch_size: 16, input_size: 16, num_workers: 0}\n"
        "model: {attention: se, attention_options: {reduction: 4}}\n"
        "train: {num_epochs: 1, run_dir: run}\noptim: {lr: 0.5, wd: 0.01}\n"
    )
    done = train("--config recipe.yaml --lr 0.01", tmp_path)
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "run/config.yaml").read_text()
    assert "lr: 0.01\n" in written
    assert "wd: 0.01\n" in written
    assert "reduction: 4" in written
