"""`--wandb` with the real library, which stays offline."""

import subprocess
from pathlib import Path

import pytest

pytest.importorskip("wandb")

SCRIPT = Path(__file__).parents[2] / "train_cifar.py"
SMALL = (
    "--dataset synthetic --train-images 32 --val-images 16 --classes 4 --input-size 16 --batch-size 16 -j 1 "
    "--model atac_cifar_resnet --act-type relu --blocks 1 --run-dir run --kernels off"
)


@pytest.fixture
def alone(run_command, tmp_path):
    """Runs train_cifar.py as someone who never logged in."""

    def run(*flags, **variables):
        own = {"HOME": str(tmp_path), "NETRC": str(tmp_path / "netrc"), "WANDB_API_KEY": None, "WANDB_MODE": None}
        return run_command(SCRIPT, *SMALL.split(), *flags, env={**own, **variables}, stdin=subprocess.DEVNULL)

    return run


def test_an_offline_run_and_its_resumption_share_an_id(alone, tmp_path):
    for epochs in ("1", "2"):
        done = alone("--project", "eca", "--num-epochs", epochs, "--resume", "auto", WANDB_MODE="offline")
        assert done.returncode == 0, done.stderr
    number = (tmp_path / "run/wandb/id").read_text()
    files = sorted((tmp_path / "run/wandb").glob(f"offline-run-*/run-{number}.wandb"))
    assert len(files) == 2
    assert b"val_accuracy" in files[1].read_bytes()


STUDY = (
    "--dataset synthetic --train-images 16 --val-images 16 --classes 4 --input-size 8 --batch-size 16 -j 0 "
    "--model cifar_resnet20_v1 --num-epochs 1 --save-period 0 --kernels off --wandb --output mine"
)


@pytest.fixture
def study(run_command, tmp_path):
    """Runs a study command as someone who never logged in."""
    pytest.importorskip("optuna")

    def run(words, **variables):
        own = {"HOME": str(tmp_path), "NETRC": str(tmp_path / "netrc"), "WANDB_API_KEY": None, "WANDB_MODE": None}
        words = ["-m", "gluon_attn", *words.split(), *STUDY.split()]
        return run_command(*words, env={**own, **variables}, stdin=subprocess.DEVNULL)

    return run


def field(name, value):
    """A field of a run as W&B's files have it."""
    from wandb.proto.wandb_internal_pb2 import RunRecord

    return bytes([RunRecord.DESCRIPTOR.fields_by_name[name].number << 3 | 2, len(value)]) + value


@pytest.mark.parametrize("command", ["compare", "sweep"])
def test_the_runs_of_a_study_are_runs_of_one_group(study, tmp_path, command):
    (tmp_path / "sweep.yaml").write_text("project: theirs\nentity: us\nparameters: {att: {values: [SE, ECA]}}\n")
    words = {"compare": "compare --attentions se,eca --seeds 1 --project theirs", "sweep": "sweep sweep.yaml"}
    done = study(words[command], WANDB_MODE="offline")
    assert done.returncode == 0, done.stderr
    files = sorted(tmp_path.glob("mine/runs/*/wandb/offline-run-*/run-*.wandb"))
    assert [file.parents[2].name for file in files] == ["000", "001"]
    for file, attention in zip(files, (b"se", b"eca"), strict=True):
        content = file.read_bytes()
        assert field("run_group", b"mine") in content
        assert field("project", b"theirs") in content
        assert (field("entity", b"us") in content) == (command == "sweep")
        assert b"val_accuracy" in content
        assert attention in content.lower()


def test_a_study_without_a_login_is_refused_before_anything_is_written(study, tmp_path):
    done = study("compare --attentions se --seeds 1")
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("error: --wandb needs a login: call `wandb login`")
    assert not (tmp_path / "mine").exists()


def test_without_a_login_nothing_is_asked_and_nothing_made(alone, tmp_path):
    done = alone("--wandb", "--num-epochs", "1")
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("error: --wandb needs a login: call `wandb login`")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
