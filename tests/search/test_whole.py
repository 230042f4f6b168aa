"""A supernet trained by the usual loop, searched, and its scheme taken to a plain network."""

import mxnet as mx
import numpy as np
import pytest

from gluon_attn import get_model
from gluon_attn.checkpoint import CheckpointStore, read_meta
from gluon_attn.config.data import DataConfig
from gluon_attn.config.ean import EanConfig
from gluon_attn.config.optim import OptimConfig
from gluon_attn.config.train import RunConfig, TrainConfig
from gluon_attn.data.factory import build, build_test
from gluon_attn.engine.callbacks import Checkpoints
from gluon_attn.engine.classification import Classification
from gluon_attn.engine.trainer import Trainer
from gluon_attn.models.scheme import Scheme
from gluon_attn.search.ean.evaluator import Evaluator
from gluon_attn.search.ean.policy_search import EanSearch
from gluon_attn.search.ean.supernet import make_supernet
from gluon_attn.utils.seed import seed_all

DATA = DataConfig(
    dataset="synthetic", train_images=64, val_images=40, input_size=16, classes=4, batch_size=16, num_workers=2
)
MODEL = "cifar_resnet20_v1"


def trainer(folder, accumulate=1):
    seed_all(3)
    net = make_supernet(MODEL, 4, "dia", input_size=16)
    net.initialize(mx.init.MSRAPrelu())
    config = RunConfig(
        data=DATA, optim=OptimConfig(lr=0.05, accumulate=accumulate), train=TrainConfig(num_epochs=2, seed=7)
    )
    data = build(DATA, seed=7)
    callbacks = [Checkpoints(CheckpointStore(folder, keep=3))]
    return Trainer(net, Classification(), config, [mx.cpu()], data.train, data.val, callbacks)


def weights(net):
    return {name: param.data().asnumpy() for name, param in net._collect_params_with_prefix().items()}


@pytest.mark.parametrize("accumulate", [1, 2])
def test_training_goes_on_to_the_last_bit(accumulate, tmp_path):
    whole = trainer(tmp_path / "whole", accumulate)
    before = weights(whole.net)
    whole.fit()
    again = trainer(tmp_path / "again", accumulate)
    first = CheckpointStore(tmp_path / "whole").list()[0]
    again.resume(first, read_meta(first))
    again.fit()
    mine, wanted = weights(again.net), weights(whole.net)
    assert all(np.array_equal(mine[name], wanted[name]) for name in wanted)
    moved = [name for name in wanted if not np.array_equal(before[name], wanted[name])]
    assert any(".post." in name for name in moved)


def test_from_supernet_to_a_network_of_the_scheme(tmp_path):
    made = trainer(tmp_path / "run")
    made.fit()
    evaluator = Evaluator(made.net, build_test(DATA, 7, 32)[1])
    search = EanSearch(9, evaluator, EanConfig(steps=6, replay_from=2), seed=1)
    scheme, reward = search.run(6)
    assert len(evaluator.known) <= 18
    assert reward == pytest.approx(search.reward(scheme, evaluator.known[scheme]["accuracy"]))
    assert reward == max(record["reward"] for record in search.samples)
    found = Scheme(scheme, MODEL, "dia", score=evaluator.known[scheme]["accuracy"], origin="a search")
    found.save(tmp_path / "best.json")
    net = get_model(MODEL, 4, plan=Scheme.load(tmp_path / "best.json").plan(), input_size=16)
    posts = [block.post for stage in list(net.features)[2:5] for block in stage]
    assert "".join("1" if post else "0" for post in posts) == scheme
