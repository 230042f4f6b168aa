"""What a run says is done is on the disk."""

import pytest

from gluon_attn.checkpoint import CheckpointStore
from gluon_attn.cli import search, train_cifar

DATA = "--dataset synthetic --train-images 16 --classes 3 --input-size 8 --batch-size 8 -j 0 --num-epochs 1"
CELLS = "--init-ch 4 --layers 3"
SPACE = "--nodes 1 --operations none,skip_connect --location no_attention --draw-every 0"


@pytest.mark.parametrize(
    ("command", "words"),
    [(train_cifar, f"--model darts_cifar {DATA} {CELLS} --save-period 0"),
     (search, f"att-darts {DATA} {CELLS} {SPACE}")],
)  # fmt: skip
def test_an_epoch_whose_checkpoint_is_missing_is_not_said_to_be_done(command, words, tmp_path, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    usual = CheckpointStore.save
    monkeypatch.setattr(CheckpointStore, "save", fail)
    with pytest.raises(ZeroDivisionError):
        command([*words.split(), "--run-dir", str(tmp_path / "killed")])
    monkeypatch.setattr(CheckpointStore, "save", usual)
    assert command([*words.split(), "--run-dir", str(tmp_path / "whole")]) == 0
    said = ["epoch 0: " in (tmp_path / name / "log.txt").read_text() for name in ("killed", "whole")]
    assert said == [False, True]
