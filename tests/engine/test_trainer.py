"""The loop: what it records, that it can go on, and that it stops on NaN."""

import json
import threading

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon

from gluon_attn.checkpoint import CheckpointStore
from gluon_attn.config.data import DataConfig
from gluon_attn.config.model import OptimConfig
from gluon_attn.config.train import RunConfig, TrainConfig
from gluon_attn.data.factory import build
from gluon_attn.engine.callbacks import Best, Callback, Checkpoints, MetricsFile, Periodic, Progress
from gluon_attn.engine.trainer import Trainer
from gluon_attn.utils.errors import TrainingError
from gluon_attn.utils.seed import seed_all

DATA = DataConfig(
    dataset="synthetic", train_images=96, val_images=40, input_size=16, classes=6, batch_size=32, num_workers=2
)


def config(data=DATA, epochs=4, mode="hybrid", **optim):
    options = {"lr": 0.05, "lr_mode": "cosine", **optim}
    return RunConfig(
        data=data, optim=OptimConfig(**options), train=TrainConfig(num_epochs=epochs, mode=mode, seed=7, log_interval=2)
    )


def network(seed=7):
    """With dropout, so that a random stream that is not restored shows."""
    seed_all(seed)
    net = gluon.nn.HybridSequential()
    net.add(gluon.nn.Conv2D(8, 3, in_channels=3), gluon.nn.BatchNorm(in_channels=8), gluon.nn.Activation("relu"))
    net.add(gluon.nn.Dropout(0.3), gluon.nn.GlobalAvgPool2D(), gluon.nn.Dense(6, in_units=8))
    net.initialize(mx.init.MSRAPrelu())
    return net


def trainer(cfg, callbacks=(), net=None):
    data = build(cfg.data, cfg.train.seed)
    return Trainer(net or network(), cfg, [mx.cpu()], data.train, data.val, callbacks)


def weights(net):
    return {name: p.data().asnumpy() for name, p in net._collect_params_with_prefix().items()}


class StopAfter(Callback):
    """Ends a run in the middle of an epoch, as Ctrl-C would."""

    def __init__(self, epoch, step):
        self.at = (epoch, step)

    def step(self, trainer, step, meter):
        if (trainer.epoch, step) == self.at:
            raise KeyboardInterrupt


VARIANTS = {
    "plain": {},
    "mixed": {"data": DATA.replace(mixup=True, mixup_off_epoch=1, label_smoothing=True, cutout=True, cutout_length=4)},
    "adam, clipped": {"optimizer": "adam", "lr": 0.01, "clip_grad": 1.0},
    "imperative": {"mode": "imperative"},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_resumed_run_ends_bit_for_bit_as_an_unbroken_one(variant, tmp_path):
    cfg = config(**VARIANTS[variant])
    unbroken = trainer(cfg)
    unbroken.fit()

    store = CheckpointStore(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        trainer(cfg, [Checkpoints(store), StopAfter(2, 1)]).fit()
    second = trainer(cfg, net=network(seed=99))
    second.resume(*store.newest())
    assert second.epoch == 2
    second.fit()

    for name, value in weights(unbroken.net).items():
        np.testing.assert_array_equal(weights(second.net)[name], value, err_msg=name)
    drop = {"seconds", "images_per_second"}
    for one, other in zip(unbroken.history, second.history, strict=True):
        assert {k: v for k, v in one.items() if k not in drop} == {k: v for k, v in other.items() if k not in drop}


def test_workers_end_with_a_run_that_is_broken_off():
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        trainer(config(), [StopAfter(0, 0)]).fit()
    assert threading.active_count() == before


def test_files_of_a_run(tmp_path):
    cfg = config(epochs=3)
    callbacks = [
        MetricsFile(tmp_path / "metrics.jsonl"),
        Best(tmp_path / "best.params"),
        Periodic(tmp_path / "kept", "name", 2),
    ]
    run = trainer(cfg, callbacks)
    best = run.fit()
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [0, 1, 2]
    assert best["val_accuracy"] == max(line["val_accuracy"] for line in lines)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["name-0002.params"]
    net = network(seed=5)
    net.load_parameters(str(tmp_path / "best.params"))
    if best["epoch"] == 2:
        np.testing.assert_array_equal(weights(net)["0.weight"], weights(run.net)["0.weight"])
    assert np.isfinite(weights(net)["0.weight"]).all()


def test_loss_falls_and_lines_are_logged(caplog):
    with caplog.at_level("INFO"):
        run = trainer(config(epochs=6, optimizer="adam", lr=0.02), [Progress(2)])
        run.fit()
    assert run.history[-1]["train_loss"] < 0.9 * run.history[0]["train_loss"]
    assert "epoch 5 batch 2/3 loss" in caplog.text
    assert "epoch 5: train loss" in caplog.text


@pytest.mark.parametrize(
    ("layer", "message"),
    [(-1, "the loss became nan in epoch 1, batch 0"), (0, "0.weight holds values that are not finite after epoch 1")],
)
def test_nan_stops_the_run_and_is_never_saved(layer, message, tmp_path):
    store = CheckpointStore(tmp_path)

    class Poison(Callback):
        def epoch_start(self, trainer):
            if trainer.epoch == 1:
                trainer.net[layer].weight.data()[:] = float("nan")

    with pytest.raises(TrainingError, match=message):
        trainer(config(), [Poison(), Checkpoints(store)]).fit()
    assert store.newest()[1]["epoch"] == 1


def test_learning_rate_one_batch_after_another():
    seen = []

    class Watch(Callback):
        def step(self, trainer, step, meter):
            seen.append(trainer.optimizer.learning_rate)

    trainer(config(epochs=2, lr_mode="step", lr_decay_epoch=(1,), lr=0.1), [Watch()]).fit()
    assert seen[2] == pytest.approx(0.1)
    assert seen[3] == pytest.approx(0.01)
