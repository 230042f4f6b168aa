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


def test_without_a_login_nothing_is_asked_and_nothing_made(alone, tmp_path):
    done = alone("--wandb", "--num-epochs", "1")
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("error: --wandb needs a login: call `wandb login`")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
