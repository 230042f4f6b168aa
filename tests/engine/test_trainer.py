"""The loop: what it records, that it can go on, and that it stops on NaN."""

import itertools
import json
import threading

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon

from gluon_attn import get_model
from gluon_attn.checkpoint import CheckpointStore
from gluon_attn.config.data import DataConfig
from gluon_attn.config.distill import DistillConfig
from gluon_attn.config.optim import OptimConfig
from gluon_attn.config.train import RunConfig, TrainConfig
from gluon_attn.data.factory import build
from gluon_attn.engine.backend import Backend
from gluon_attn.engine.callbacks import Best, Callback, Checkpoints, MetricsFile, Periodic, Progress
from gluon_attn.engine.classification import Classification, Distillation, evaluate
from gluon_attn.engine.trainer import Trainer
from gluon_attn.utils.errors import TrainingError, UserError
from gluon_attn.utils.seed import seed_all

DATA = DataConfig(
    dataset="synthetic", train_images=96, val_images=40, input_size=16, classes=6, batch_size=32, num_workers=2
)


def config(data=DATA, epochs=4, mode="hybrid", dtype="float32", distill=None, bce_loss=False, **optim):
    options = {"lr": 0.05, "lr_mode": "cosine", **optim}
    train = TrainConfig(num_epochs=epochs, mode=mode, dtype=dtype, seed=7, log_interval=2, bce_loss=bce_loss)
    distill = DistillConfig(**distill or {})
    return RunConfig(data=data, optim=OptimConfig(**options), distill=distill, train=train)


def network(seed=7):
    """With dropout, so that a random stream that is not restored shows."""
    seed_all(seed)
    net = gluon.nn.HybridSequential()
    net.add(gluon.nn.Conv2D(8, 3, in_channels=3), gluon.nn.BatchNorm(in_channels=8), gluon.nn.Activation("relu"))
    net.add(gluon.nn.Dropout(0.3), gluon.nn.GlobalAvgPool2D(), gluon.nn.Dense(6, in_units=8))
    net.initialize(mx.init.MSRAPrelu())
    return net


class Elementwise(gluon.HybridBlock):
    """Scores from channel means without a matrix product, which MXNet has not in float16 on a CPU."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.weight = self.params.get("weight", shape=(1, 3, 6))
            self.drop = gluon.nn.Dropout(0.3)

    def hybrid_forward(self, F, x, weight):
        means = F.reshape(F.mean(x, axis=(2, 3)), (0, 0, 1))
        return F.sum(self.drop(F.broadcast_mul(means, weight)), axis=1)


def elementwise(seed=7):
    seed_all(seed)
    net = Elementwise()
    net.initialize(mx.init.Normal(0.5))
    return net


def residual(seed=7):
    """With blocks that are dropped for some images."""
    seed_all(seed)
    net = get_model("cifar_resnet20_v1", 6, attention="eca", drop_path=0.5, input_size=16)
    net.initialize(mx.init.MSRAPrelu())
    return net


def fresh(cfg, **seed):
    """The network that suits the options."""
    make = residual if cfg.train.bce_loss else network
    return (elementwise if cfg.train.dtype == "float16" else make)(**seed)


def trainer(cfg, callbacks=(), net=None):
    data = build(cfg.data, cfg.train.seed)
    task = Distillation(cfg.distill, fresh(cfg, seed=11)) if cfg.distill.teacher else Classification(None, cfg.train)
    return Trainer(net or fresh(cfg), task, cfg, [mx.cpu()], data.train, data.val, callbacks)


def weights(net):
    return {name: p.data().asnumpy() for name, p in net._collect_params_with_prefix().items()}


class StopAfter(Callback):
    """Ends a run in the middle of an epoch, as Ctrl-C would."""

    def __init__(self, epoch, step):
        self.at = (epoch, step)

    def step(self, trainer, step, meter):
        if (trainer.epoch, step) == self.at:
            raise KeyboardInterrupt


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


@pytest.fixture(autouse=True)
def emulate(monkeypatch):
    """oneDNN computes bfloat16 on any processor, slowly; float16 goes as long as nothing multiplies matrices."""
    monkeypatch.setattr("gluon_attn.engine.trainer.usable_dtype", lambda dtype, *_: dtype)


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
            seen.append(trainer.gluon_trainer.learning_rate)

    trainer(config(epochs=2, lr_mode="step", lr_decay_epoch=(1,), lr=0.1), [Watch()]).fit()
    assert seen[2] == pytest.approx(0.1)
    assert seen[3] == pytest.approx(0.01)


def test_half_batches_accumulated_are_whole_ones():
    """Without norms and dropout, whose results depend on what a batch holds."""

    def linear():
        seed_all(3)
        net = gluon.nn.HybridSequential()
        net.add(gluon.nn.Conv2D(8, 3, in_channels=3, activation="relu"), gluon.nn.GlobalAvgPool2D())
        net.add(gluon.nn.Dense(6, in_units=8))
        net.initialize(mx.init.MSRAPrelu())
        return net

    plain = DATA.replace(crop_padding=0, flip=False)
    whole = trainer(config(plain, epochs=2), net=linear())
    halves = trainer(config(plain.replace(batch_size=16), epochs=2, accumulate=2), net=linear())
    for run in (whole, halves):
        run.fit()
        assert run.gluon_trainer._optimizer.num_update == 6
    for name, value in weights(whole.net).items():
        np.testing.assert_allclose(weights(halves.net)[name], value, rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_compiled_graph_takes_images_of_every_size(dtype):
    """Dropout draws other numbers in a compiled graph, so this network has none."""

    def make():
        seed_all(3)
        net = gluon.nn.HybridSequential()
        net.add(gluon.nn.Conv2D(8, 3, in_channels=3), gluon.nn.BatchNorm(in_channels=8), gluon.nn.GlobalAvgPool2D())
        net.add(gluon.nn.Dense(6, in_units=8))
        net.initialize(mx.init.MSRAPrelu())
        return net

    data = DATA.replace(progressive_size=(8, 12))
    runs = [trainer(config(data, 3, mode, dtype), net=make()) for mode in ("hybrid", "imperative")]
    seen = []
    runs[0].forward.register_forward_pre_hook(lambda block, inputs: seen.append(inputs[0].shape[2]))
    for run in runs:
        run.fit()
    assert [size for size, _ in itertools.groupby(seen)] == [8, 16, 12, 16]
    for name, value in weights(runs[1].net).items():
        np.testing.assert_allclose(weights(runs[0].net)[name], value, rtol=1e-4, atol=1e-5, err_msg=name)


def test_averaged_weights_are_tested_and_kept(tmp_path):
    run = trainer(config(epochs=2, ema=0.9), [Best(tmp_path / "best.params")])
    run.best = {"val_accuracy": -1.0, "epoch": 0}
    best = run.fit()
    kept = network(seed=5)
    kept.load_parameters(str(tmp_path / "best.params"))
    if best is run.history[-1]:
        own, means = weights(run.net), run.update.ema.values
        assert np.abs(own["0.weight"] - means["0.weight"].asnumpy()).max() > 1e-4
        np.testing.assert_array_equal(weights(kept)["0.weight"], means["0.weight"].asnumpy())
    found = evaluate(kept, run.val_loader, [mx.cpu()])
    assert found["loss"] == pytest.approx(best["val_loss"], rel=1e-4)


class Clock(Callback):
    """A clock that goes on by 3 for each batch that is made, by 1 for each step."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        for module in ("metrics", "trainer"):
            monkeypatch.setattr(f"gluon_attn.engine.{module}.perf_counter", lambda: self.now)

    def slow_down(self, loader):
        usual = loader.epoch

        def epoch(*numbers):
            for batch in usual(*numbers):
                self.now += 3
                yield batch

        loader.epoch = epoch

    def step(self, trainer, step, meter):
        self.now += 1


def test_waiting_for_data_is_told_apart(monkeypatch, caplog):
    clock = Clock(monkeypatch)
    run = trainer(config(epochs=1), [clock, Progress(10)])
    clock.slow_down(run.train_loader)
    with caplog.at_level("INFO"):
        run.fit()
    record = run.history[0]
    assert (record["seconds"], record["data_seconds"], record["images_per_second"]) == (12, 9, 96 / 12)
    assert ", 12.0 s (75% waiting for data), 8 img/s" in caplog.text


def test_frozen_layers_stay_as_they_are():
    net = network()
    before = weights(net)
    trainer(config(epochs=2, freeze="[01]"), net=net).fit()
    after = weights(net)
    for name in before:
        assert np.array_equal(before[name], after[name]) == name.startswith(("0.", "1.")), name


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_teacher_is_learnt_from_and_stays_as_it_is(dtype, tmp_path):
    """Its batch norm computes with its statistics, its dropout does nothing, and no checkpoint holds it."""
    run = trainer(config(epochs=2, dtype=dtype), [Checkpoints(CheckpointStore(tmp_path / "alone"))])
    cfg = config(epochs=2, dtype=dtype, distill={"teacher": "a", "hard_weight": 0, "temperature": 2})
    data = build(cfg.data, cfg.train.seed)
    fresh = elementwise if dtype == "float16" else network
    teacher, store = fresh(seed=11), CheckpointStore(tmp_path / "taught")
    before = weights(teacher)
    task = Distillation(cfg.distill, teacher)
    taught = Trainer(fresh(), task, cfg, [mx.cpu()], data.train, data.val, [Checkpoints(store)])
    for one in (run, taught):
        one.fit()
    for name, value in weights(teacher).items():
        np.testing.assert_array_equal(value, before[name].astype(value.dtype), err_msg=name)
    kept = [{path.name for path in (tmp_path / name / "epoch-0002").iterdir()} for name in ("alone", "taught")]
    assert kept[0] == kept[1]
    assert set(mx.nd.load(str(store.newest()[0] / "net.params"))) == set(before)
    assert any((weights(run.net)[name] != value).any() for name, value in weights(taught.net).items())


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


def test_the_learning_rate_is_scaled_by_the_global_batch():
    run = trainer(config(lr_mode="step", lr_scaling="linear", lr_batch=16, accumulate=3))
    assert run.gluon_trainer.learning_rate == pytest.approx(0.05 * 32 * 3 / 16)
