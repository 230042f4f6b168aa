"""Runs that are broken off, stopped or finished go on where they were: to the bit, or not at all."""

import mxnet as mx
import numpy as np
import pytest
from small_trainings import DATA, StopAfter, config, elementwise, fresh, network, trainer, weights

from gluon_attn.checkpoint import CheckpointStore
from gluon_attn.data.factory import build
from gluon_attn.engine.backend import Backend
from gluon_attn.engine.callbacks import Callback, Checkpoints, Progress
from gluon_attn.engine.classification import Classification
from gluon_attn.engine.trainer import Trainer
from gluon_attn.utils.errors import UserError

pytestmark = pytest.mark.usefixtures("every_dtype")

MIXED = DATA.replace(mixup=True, mixup_off_epoch=1, label_smoothing=True, cutout=True, cutout_length=4)
VARIANTS = {
    "plain": {},
    "mixed": {"data": MIXED},
    "growing images": {"data": MIXED.replace(progressive_size=(8, 12), random_erasing=0.5)},
    "distilled": {"data": MIXED, "distill": {"teacher": "a", "temperature": 3}},
    "distilled in bfloat16": {"dtype": "bfloat16", "distill": {"teacher": "a"}},
    "distilled in float16": {"dtype": "float16", "distill": {"teacher": "a"}},
    "adam, clipped": {"optimizer": "adam", "lr": 0.01, "clip_grad": 1.0},
    "imperative": {"mode": "imperative"},
    "bfloat16": {"dtype": "bfloat16"},
    "float16": {"dtype": "float16", "clip_grad": 1.0},
    "averaged, accumulated": {"ema": 0.9, "accumulate": 2},
    "a recipe of timm": {
        "data": MIXED.replace(cutmix=True, aug_repeats=2, aa="rand-m7-mstd0.5-inc1", random_erasing=0.3),
        "optimizer": "rmsproptf",
        "lr": 0.01,
        "ema": 0.9,
        "ema_warmup": "power",
        "accumulate": 2,
        "bce_loss": True,
    },
    "frozen": {"freeze": "[01]", "optimizer": "adam", "lr": 0.01},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_resumed_run_ends_bit_for_bit_as_an_unbroken_one(variant, tmp_path):
    cfg = config(**VARIANTS[variant])
    unbroken = trainer(cfg)
    unbroken.fit()

    store = CheckpointStore(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        trainer(cfg, [Checkpoints(store), StopAfter(2, 1)]).fit()
    second = trainer(cfg, net=fresh(cfg, seed=99))
    second.resume(*store.newest())
    assert second.epoch == 2
    second.fit()

    for name, value in weights(unbroken.net).items():
        np.testing.assert_array_equal(weights(second.net)[name], value, err_msg=name)
    if cfg.optim.ema:
        assert second.update.ema.updates == 8
        for name, mean in unbroken.update.ema.values.items():
            np.testing.assert_array_equal(second.update.ema.values[name].asnumpy(), mean.asnumpy(), err_msg=name)
    drop = {"seconds", "data_seconds", "images_per_second"}
    for one, other in zip(unbroken.history, second.history, strict=True):
        assert {k: v for k, v in one.items() if k not in drop} == {k: v for k, v in other.items() if k not in drop}


class Scores(Callback):
    """Makes each epoch's score what the test says."""

    def __init__(self, scores):
        self.scores = scores

    def epoch_start(self, trainer):
        trainer.val_loader = trainer.train_loader  # quick, and its result is replaced

    def __call__(self, net, loader, contexts, total):
        return {"loss": 1.0, "accuracy": self.scores.pop(0)}


def test_patience(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr("gluon_attn.engine.classification.evaluate", Scores([0.1, 0.3, 0.3, 0.2, 0.9]))
    cfg = config(epochs=5)
    cfg = cfg.replace(train=cfg.train.replace(patience=2))
    store = CheckpointStore(tmp_path)
    run = trainer(cfg, [Checkpoints(store)])
    with caplog.at_level("INFO"):
        run.fit()
    assert [record["val_accuracy"] for record in run.history] == [0.1, 0.3, 0.3, 0.2]
    assert "no better test accuracy in 2 epochs: stopped early" in caplog.text

    again = trainer(cfg)
    again.resume(*store.newest())
    again.fit()
    assert again.epoch == 4


def test_the_loss_scale_is_recorded_and_goes_on(tmp_path, caplog):
    class Overflow(Callback):
        def step(self, trainer, step, meter):
            if (trainer.epoch, step) == (0, 0):
                trainer.update.scaler.scale = 2.0**60

    store = CheckpointStore(tmp_path)
    run = trainer(config(epochs=2, dtype="float16"), [Overflow(), Checkpoints(store), Progress(10)])
    with caplog.at_level("INFO"):
        run.fit()
    assert "gradients overflowed: step left out, loss scale lowered to" in caplog.text
    assert f"img/s, loss scale {run.history[1]['loss_scale']:g}" in caplog.text
    again = trainer(config(epochs=3, dtype="float16"))
    again.resume(*store.newest())
    assert again.update.scaler.state() == run.update.scaler.state()
    assert run.history[-1]["loss_scale"] == run.update.scaler.scale < 2.0**60


def test_a_float16_checkpoint_does_not_go_on_in_float32(tmp_path):
    store = CheckpointStore(tmp_path)
    trainer(config(epochs=1, dtype="float16"), [Checkpoints(store)]).fit()
    with pytest.raises(UserError, match="was trained in float16, here it would be float32"):
        trainer(config(epochs=2), net=elementwise()).resume(*store.newest())


def test_another_number_of_processes_goes_on_at_its_place_in_the_schedule(tmp_path):
    """Two processes have half as many updates in an epoch."""

    class Two(Backend):
        size = 2

        def allreduce_sum(self, numbers):
            return [2 * number for number in numbers]

    store = CheckpointStore(tmp_path)
    small = config(DATA.replace(batch_size=16), epochs=4)
    first = trainer(small, [Checkpoints(store), StopAfter(2, 1)])
    with pytest.raises(KeyboardInterrupt):
        first.fit()
    data = build(small.data, 7, rank=0, size=2)
    second = Trainer(network(), Classification(), small, [mx.cpu()], data.train, data.val, backend=Two())
    second.resume(*store.newest())
    assert (first.update.per_epoch, second.update.per_epoch) == (6, 3)
    assert second.gluon_trainer._optimizer.num_update == 6
    second.fit()
    assert second.history[2]["lr"] == pytest.approx(0.05 * (1 + np.cos(np.pi * 8 / 11)) / 2)
