"""`--benchmark` and `--data-benchmark`: what they measure, and that they leave nothing."""

import contextlib
import re

import pytest

from gluon_attn.cli import train_cifar, train_imagenet
from gluon_attn.config.train import RunConfig
from gluon_attn.data.loader import Loader
from gluon_attn.engine.trainer import Trainer
from gluon_attn.runs import throughput

SMALL = "--model atac_cifar_resnet --act-type relu --blocks 1 --kernels off --batch-size 4 --benchmark-batches 3"
SPEED = r"\d+\.\d img/s"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_step_without_images(here, capsys):
    flags = ["--dataset", "cifar100", "--data-dir", "nowhere", "--benchmark"]
    assert train_cifar([*SMALL.split(), *flags]) == 0
    line = rf"atac_cifar_resnet, 4 images of 3x32x32 on cpu\(0\), float32: {SPEED}, peak memory \d+\.\d\d GB\n"
    assert re.fullmatch(line, capsys.readouterr().out)
    assert list(here.iterdir()) == []


def test_of_growing_images_the_last_size_is_measured(here, capsys):
    flags = ["--dataset", "synthetic", "--input-size", "32", "--progressive-size", "16,24", "--benchmark"]
    assert train_cifar([*SMALL.split(), *flags]) == 0
    assert "4 images of 3x32x32 on cpu(0)" in capsys.readouterr().out


def test_it_is_the_trainers_own_step_after_a_warm_up(here, monkeypatch, capsys):
    steps, train_step = [], Trainer.train_step

    def counted(self, batch, step=0):
        steps.append(self.epoch)
        return train_step(self, batch, step)

    monkeypatch.setattr(Trainer, "train_step", counted)
    options = ["--dataset", "digits", "--benchmark", "--accumulate", "2", "--lr", "1e30", "--patience", "1"]
    assert train_cifar([*SMALL.split(), *options, "--warmup-epochs", "1"]) == 0
    assert steps == [0, 0, 1, 1, 1]
    assert "img/s" in capsys.readouterr().out


def test_images_without_a_step(here, monkeypatch, capsys):
    batches, epoch = [], Loader.epoch

    def counted(self, number, epochs=None):
        for batch in epoch(self, number, epochs):
            batches.append(number)
            yield batch

    monkeypatch.setattr(Loader, "epoch", counted)
    flags = ["--dataset", "synthetic", "--train-images", "8", "--input-size", "16", "-j", "2", "--data-benchmark"]
    assert train_cifar([*SMALL.split(), *flags]) == 0
    assert re.fullmatch(rf"synthetic, images of 3x16x16, 2 workers: {SPEED}\n", capsys.readouterr().out)
    assert batches == [0, 0, 1]  # two batches an epoch
    assert list(here.iterdir()) == []


def test_the_speed_is_that_of_all_processes(monkeypatch):
    class Two:
        size = 2

        def __init__(self, rank):
            self.rank = rank

        def allreduce_sum(self, numbers):
            return [1000.0 for _ in numbers]

        def peer_failures(self):
            return contextlib.nullcontext()

    config = RunConfig.from_dict({"data": {"dataset": "digits"}, "train": {"data_benchmark": True}})
    for rank in (1, 0):
        monkeypatch.setattr(throughput, "connect", lambda rank=rank: Two(rank))
        line, backend = throughput.throughput(config)
        assert (line, backend.rank) == ("digits, images of 3x32x32, 4 workers, 2 processes: 1000.0 img/s", rank)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--benchmark", "--data-benchmark"], "--benchmark and --data-benchmark measure different things: give one"),
        (["--benchmark", "--teacher", "runs/x"], "--benchmark measures a step without its teacher: drop --teacher"),
        (["--benchmark", "--benchmark-batches", "0"], "--benchmark-batches must be at least 1"),
        (["--data-benchmark", "--data-dir", "nowhere"], "nowhere"),
    ],
)
def test_errors_are_one_line(here, capsys, flags, message):
    assert train_imagenet(flags) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert captured.err.count("\n") == 1
