"""The loop: what it computes and records, and that it stops on NaN."""

import itertools
import json
import threading

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon
from small_trainings import DATA, StopAfter, config, elementwise, network, trainer, weights

from gluon_attn.checkpoint import CheckpointStore
from gluon_attn.data.factory import build
from gluon_attn.engine.callbacks import Best, Callback, Checkpoints, MetricsFile, Periodic, Progress
from gluon_attn.engine.classification import Distillation, evaluate
from gluon_attn.engine.trainer import Trainer
from gluon_attn.utils.errors import TrainingError
from gluon_attn.utils.seed import seed_all

pytestmark = pytest.mark.usefixtures("every_dtype")


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


def test_the_learning_rate_is_scaled_by_the_global_batch():
    run = trainer(config(lr_mode="step", lr_scaling="linear", lr_batch=16, accumulate=3))
    assert run.gluon_trainer.learning_rate == pytest.approx(0.05 * 32 * 3 / 16)
