"""The seam between trainer and task: another task than classification trains with the same loop."""

import contextlib

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon

from gluon_attn.checkpoint import CheckpointStore
from gluon_attn.config.optim import OptimConfig
from gluon_attn.config.scores import ACCURACY, Score
from gluon_attn.config.train import RunConfig, TrainConfig
from gluon_attn.engine.callbacks import Callback, Checkpoints
from gluon_attn.engine.task import Task
from gluon_attn.engine.trainer import Trainer

SIZES = (3, 5, 2)


class Loader:
    """Batches of three arrays of different lengths, and a fourth item that is no array."""

    def __len__(self):
        return 2

    def epoch(self, number, epochs=None):
        for step in range(2):
            rng = np.random.default_rng([number, step])
            yield [mx.nd.array(rng.normal(size=(size, 4))) for size in SIZES], f"batch {step}"


class Regression(Task):
    """Rows of different lists of rows become their sum; the score is an error: lower is better."""

    score = Score("val_error", "error", higher_is_better=False)

    def __init__(self):
        self.steps, self.epochs, self.counted = [], [], 0

    def prepare(self, trainer):
        self.trainer = trainer

    def split(self, batch, contexts):
        rows, name = batch
        assert not mx.autograd.is_recording()
        return [(rows, name)]

    def images(self, batch):
        return sum(map(len, batch[0]))

    def forward(self, net, shard):
        rows, _ = shard
        losses = [((net(x)[:, 0] - x.sum(axis=1)) ** 2) for x in rows]
        return mx.nd.concat(*losses, dim=0), None

    def evaluate(self, net, loader, contexts, total):
        rows = next(loader.epoch(99))[0]
        return {"error": float(sum(((net(x)[:, 0] - x.sum(axis=1)) ** 2).sum().asscalar() for x in rows))}

    def start_step(self, trainer, batch):
        self.steps.append((trainer.epoch, batch[1]))

    @contextlib.contextmanager
    def epoch(self, trainer):
        self.epochs.append(trainer.epoch)
        yield

    def epoch_record(self, trainer):
        self.counted += 1
        return {"counted": self.counted}

    def state(self, trainer):
        return {"counted": self.counted}, {"more.params": {"x": mx.nd.array([self.counted])}}

    def load_state(self, trainer, folder, meta):
        self.counted = meta["counted"]
        assert mx.nd.load(str(folder / "more.params"))["x"].asscalar() == self.counted


def trainer(epochs=4, callbacks=(), **train):
    mx.random.seed(3)
    net = gluon.nn.Dense(1, in_units=4)
    net.initialize(mx.init.Normal(0.5))
    config = RunConfig(optim=OptimConfig(lr=0.05), train=TrainConfig(num_epochs=epochs, mode="imperative", **train))
    return Trainer(net, Regression(), config, [mx.cpu()], Loader(), Loader(), callbacks)


def test_a_task_of_its_own_trains():
    made = trainer()
    best = made.fit()
    assert made.task.trainer is made
    assert made.task.steps == [(epoch, f"batch {step}") for epoch in range(4) for step in range(2)]
    assert made.task.epochs == [0, 1, 2, 3]
    errors = [record["val_error"] for record in made.history]
    assert errors[-1] < errors[0]
    assert best["val_error"] == min(errors)
    assert [record["counted"] for record in made.history] == [1, 2, 3, 4]
    assert "val_accuracy" not in best


def test_what_a_task_keeps_comes_back(tmp_path):
    store = CheckpointStore(tmp_path)
    whole = trainer()
    whole.fit()
    first = trainer(2, [Checkpoints(store)])
    first.fit()
    again = trainer()
    again.resume(*store.newest())
    again.fit()
    assert [record["counted"] for record in again.history] == [1, 2, 3, 4]
    np.testing.assert_array_equal(again.net.weight.data().asnumpy(), whole.net.weight.data().asnumpy())


class StopAt(Callback):
    def __init__(self, epoch):
        self._epoch, self.ended = epoch, []

    def epoch_end(self, trainer, record):
        self.ended.append(record["epoch"])
        if record["epoch"] == self._epoch:
            trainer.stop("enough")


def test_a_callback_may_end_the_run_after_the_epoch(caplog, tmp_path):
    stop, store = StopAt(1), CheckpointStore(tmp_path)
    made = trainer(9, [stop, Checkpoints(store)])
    with caplog.at_level("INFO"):
        made.fit()
    assert stop.ended == [0, 1]
    assert store.newest()[1]["epoch"] == 2  # callbacks after the one that asked have run
    assert "enough: stopped early" in caplog.text


def test_patience_follows_the_direction_of_the_score(monkeypatch):
    errors = iter([5.0, 3.0, 4.0, 3.5, 1.0])
    made = trainer(9, patience=2)
    monkeypatch.setattr(made.task, "evaluate", lambda *args: {"error": next(errors)})
    assert made.fit()["val_error"] == 3.0
    assert made.epoch == 4


@pytest.mark.parametrize(
    ("score", "better", "worse"),
    [(ACCURACY, {"val_accuracy": 0.5}, {"val_accuracy": 0.4}), (Score("e", "e", False), {"e": 1}, {"e": 2})],
)
def test_which_record_is_better(score, better, worse):
    assert score.is_better(better, worse)
    assert not score.is_better(worse, better)
    assert not score.is_better(better, better)
    assert score.is_better(worse, {})
    assert score.is_better(worse, {score.key: float("nan")})
