"""A backbone that is frozen in the first epochs: what moves when, and that a run resumes from each of them."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon

from gluon_attn.checkpoint import CheckpointStore, read_meta
from gluon_attn.config.data import DataConfig
from gluon_attn.config.model import ModelConfig
from gluon_attn.config.optim import OptimConfig
from gluon_attn.config.train import RunConfig, TrainConfig
from gluon_attn.data.factory import build
from gluon_attn.engine.callbacks import Callback, Checkpoints
from gluon_attn.engine.classification import Classification
from gluon_attn.engine.frozen_start import FrozenStart, pretrained_features
from gluon_attn.engine.prepare_network import mark_new
from gluon_attn.engine.trainer import Trainer
from gluon_attn.utils.errors import UserError
from gluon_attn.utils.seed import seed_all

DATA = DataConfig(
    dataset="synthetic", train_images=48, val_images=16, input_size=16, classes=6, batch_size=16, num_workers=0
)
NEW = {"2.weight", "2.bias"}


def network():
    """The third layer is new, the last is the classifier."""
    seed_all(3)
    net = gluon.nn.HybridSequential()
    net.add(
        gluon.nn.Conv2D(8, 3, in_channels=3), gluon.nn.BatchNorm(in_channels=8), gluon.nn.Conv2D(8, 1, in_channels=8)
    )
    net.add(gluon.nn.Activation("relu"), gluon.nn.GlobalAvgPool2D(), gluon.nn.Dense(6, in_units=8))
    net.initialize(mx.init.MSRAPrelu())
    mark_new(net, NEW)
    return net


class Weights(Callback):
    """The weights after each epoch."""

    def __init__(self):
        self.after, self.frozen = [], []

    def epoch_end(self, trainer, record):
        self.frozen.append(set(trainer.frozen))
        params = trainer.net._collect_params_with_prefix()
        self.after.append({name: param.data().asnumpy() for name, param in params.items()})


def trainer(epochs=4, frozen=2, folder=None, dtype="float32", **optim):
    config = RunConfig(
        data=DATA, model=ModelConfig(pretrained="x"), train=TrainConfig(num_epochs=epochs, seed=5, dtype=dtype),
        optim=OptimConfig(**{"optimizer": "sgd", "lr": 0.1, "freeze_epochs": frozen, **optim}),
    )  # fmt: skip
    data, net, seen = build(DATA, 5, 1), network(), Weights()
    calls = [FrozenStart(pretrained_features(net), frozen), seen]
    if folder:
        calls.append(Checkpoints(CheckpointStore(folder, 9)))
    return Trainer(net, Classification(None), config, [mx.cpu()], data.train, data.val, calls), seen


@pytest.mark.parametrize(("freeze", "told"), [(None, True), ("[01]", False)])
def test_it_is_told_that_the_backbone_is_trained_if_it_is(freeze, told, caplog):
    """Not where option freeze holds all of it for good."""
    run, _ = trainer(epochs=2, frozen=1, **({"freeze": freeze} if freeze else {}))
    with caplog.at_level("INFO", logger="gluon_attn"):
        run.fit()
    assert ("epoch 1: the backbone is trained from now on" in caplog.text) == told


@pytest.mark.parametrize("optim", [{}, {"optimizer": "adam", "lr": 0.01}, {"ema": 0.5, "accumulate": 2}])
def test_the_backbone_stays_for_the_first_epochs_and_moves_then(optim):
    run, seen = trainer(**optim)
    start = {name: param.data().asnumpy() for name, param in run.net._collect_params_with_prefix().items()}
    run.fit()
    assert sorted(pretrained_features(run.net)) == sorted(set(start) - NEW - {"5.weight", "5.bias"})
    assert seen.frozen == [set(pretrained_features(run.net))] * 2 + [set()] * 2
    for name in start:
        moved = [not np.array_equal(start[name], after[name]) for after in seen.after]
        frozen = name in pretrained_features(run.net)
        assert moved == ([False, False, True, True] if frozen else [True] * 4), name
    assert all(
        param.grad_req != "null" for name, param in run.net._collect_params_with_prefix().items() if "run" not in name
    )


def test_it_is_what_freezing_by_name_does_meanwhile():
    names = "0|1"
    one, seen = trainer(epochs=3, frozen=2)
    one.fit()
    other, same = trainer(epochs=3, frozen=0, freeze=names)
    other.fit()
    for name, value in seen.after[1].items():
        np.testing.assert_array_equal(value, same.after[1][name], err_msg=name)


@pytest.mark.parametrize("epoch", [1, 2, 3])
@pytest.mark.parametrize("optimizer", ["nag", "adam"])
def test_a_run_resumes_exactly_from_each_epoch(epoch, optimizer, tmp_path):
    whole, seen = trainer(folder=tmp_path / "checkpoints", optimizer=optimizer, lr=0.02)
    whole.fit()
    again, _ = trainer(optimizer=optimizer, lr=0.02)
    store = CheckpointStore(tmp_path / "checkpoints")
    folder = store.list()[epoch - 1]
    again.resume(folder, read_meta(folder))
    assert again.epoch == epoch
    again.fit()
    for name, param in again.net._collect_params_with_prefix().items():
        np.testing.assert_array_equal(param.data().asnumpy(), seen.after[-1][name], err_msg=name)


def test_nothing_left_to_train_is_refused():
    run, _ = trainer(freeze="5")
    mark_new(run.net, [])
    for name in NEW:
        run.net._collect_params_with_prefix()[name].grad_req = "null"
    with pytest.raises(UserError, match="option freeze_epochs leaves nothing to train in its epochs"):
        run.callbacks[0].check(run.net)
    trainer()[0].callbacks[0].check(network())


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"optim": {"freeze_epochs": 1}}, "option freeze_epochs freezes pretrained weights: give option pretrained"),
        ({"optim": {"freeze_epochs": 3}, "train": {"num_epochs": 3}, "model": {"pretrained": "x"}},
         "option freeze_epochs 3 leaves no epoch of 3 for the backbone"),
    ],
)  # fmt: skip
def test_options_without_sense(options, complaint):
    with pytest.raises(UserError, match=complaint):
        RunConfig.from_dict(options)
