"""The first line of a run."""

from types import SimpleNamespace

import mxnet as mx
import pytest

from gluon_attn import get_model
from gluon_attn.analyze.cost import cost
from gluon_attn.config.files import merge
from gluon_attn.config.train import RunConfig
from gluon_attn.data.factory import build
from gluon_attn.models.base import network_text
from gluon_attn.runs.announcement import Announcement, data_text, devices_text, parameters, unreached
from gluon_attn.runs.folder import RunFolder


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("cifar_resnet20_v1", {}, "cifar_resnet20_v1"),
        ("cifar_resnet20_v1", {"attention": "se"}, "cifar_resnet20_v1 with se"),
        ("se_cifar_resnet20", {}, "se_cifar_resnet20 with se"),
        ("eca_resnet18_official", {}, "eca_resnet18_official with eca"),
        (
            "cifar_resnet20_v1",
            {"plan": {"version": 1, "entries": [{"name": "eca"}, {"name": "bam", "slot": "stage", "stages": [1]}]}},
            "cifar_resnet20_v1 with eca and bam",
        ),
    ],
)
def test_networks(name, options, text):
    assert network_text(get_model(name, 10, **options).recipe) == text


def test_of_a_plugin_that_is_not_here():
    assert network_text({"model": "unknown", "plan": None}) == "unknown"


def test_data():
    assert data_text("digits", 1438, 359, 10, (3, 32, 32)) == (
        "digits, 1,438 training and 359 test images of 32x32, 10 classes"
    )
    assert data_text("digits", 0, 359, 10, (3, 32, 48)) == "digits, 359 test images of 32x48, 10 classes"
    assert data_text("few", 9, 0, 2, (3, 8, 8)) == "few, 9 training images of 8x8, 2 classes"


@pytest.mark.parametrize("threads", ["1", "3"])
def test_devices(monkeypatch, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    words = "1 thread" if threads == "1" else "3 threads"
    assert devices_text([mx.cpu()]) == f"CPU, {words}"
    assert devices_text([mx.gpu(0), mx.gpu(1)], 2) == f"gpu(0), gpu(1), 2 processes, {words}"


def test_parameters_are_those_of_cost_frozen_or_not():
    net = get_model("cifar_resnet20_v1", 10, attention="se")
    count = cost(net, (3, 32, 32)).params
    net.collect_params().setattr("grad_req", "null")
    assert parameters(net) == count


def test_the_line(caplog, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    net = get_model("cifar_resnet20_v1", 10)
    trainer = SimpleNamespace(net=net, contexts=[mx.cpu()], backend=SimpleNamespace(size=1), dtype="float32")
    with caplog.at_level("INFO"):
        Announcement("net with se", "digits", RunFolder("runs/x"), ["a", "b"]).start(trainer)
    line = "net with se, 272,474 parameters; digits; CPU, 2 threads, float32; run folder runs/x"
    assert caplog.messages == [line, "a", "b"]
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "WARNING"]


@pytest.mark.parametrize(
    ("beyond", "reached", "line"),
    [
        ({"data": {"batch_size": 21}}, {"data": {"batch_size": 20}},
         "option batch_size 21 is not reached: the images of an epoch are one batch of 20"),
        ({"optim": {"accumulate": 3}}, {"optim": {"accumulate": 2}},
         "option accumulate 3 is not reached in the 2 batches of an epoch: it has one update"),
        ({"data": {"cutmix": True, "mixup_off_epoch": 4}}, {"data": {"cutmix": True, "mixup_off_epoch": 3}},
         "option mixup_off_epoch 4 leaves no epoch with mixup or cutmix"),
    ],
)  # fmt: skip
def test_numbers_beyond_the_run_are_told(beyond, reached, line):
    base = {
        "data": {"dataset": "synthetic", "train_images": 20, "val_images": 2, "batch_size": 10, "input_size": 8},
        "train": {"num_epochs": 4},
    }

    def told(layer):
        config = RunConfig.from_dict(merge(base, layer))
        return list(unreached(config, build(config.data, seed=1), 1))

    assert told(beyond) == [line]
    assert told(reached) == []
