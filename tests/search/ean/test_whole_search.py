"""From a supernet, trained by the usual loop, over a search to the plain network of the best scheme."""

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


@pytest.fixture(scope="module", params=[1, 2])
def uninterrupted(request, tmp_path_factory):
    """(trainer after its training, weights before, folder of its checkpoints, batches per update)."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    whole = trainer(folder, request.param)
    before = weights(whole.net)
    whole.fit()
    return whole, before, folder, request.param


def test_resumed_training_is_exact(uninterrupted, tmp_path):
    whole, before, folder, accumulate = uninterrupted
    again = trainer(tmp_path, accumulate)
    first = CheckpointStore(folder).list()[0]
    again.resume(first, read_meta(first))
    again.fit()
    resumed, wanted = weights(again.net), weights(whole.net)
    assert all(np.array_equal(resumed[name], wanted[name]) for name in wanted)
    changed = [name for name in wanted if not np.array_equal(before[name], wanted[name])]
    assert any(".post." in name for name in changed)


def test_from_supernet_to_the_network_of_the_best_scheme(uninterrupted, tmp_path):
    evaluator = Evaluator(uninterrupted[0].net, build_test(DATA, 7, 32)[1])
    search = EanSearch(9, evaluator, EanConfig(steps=6, replay_from=2), seed=1)
    scheme, reward = search.run(6)
    assert len(evaluator.scores) <= 18
    assert reward == pytest.approx(search.reward(scheme, evaluator.scores[scheme]["accuracy"]))
    assert reward == max(record["reward"] for record in search.samples)
    found = Scheme(scheme, MODEL, "dia", score=evaluator.scores[scheme]["accuracy"], origin="a search")
    found.save(tmp_path / "best.json")
    net = get_model(MODEL, 4, plan=Scheme.load(tmp_path / "best.json").plan(), input_size=16)
    posts = [block.post for stage in list(net.features)[2:5] for block in stage]
    assert "".join("1" if post else "0" for post in posts) == scheme
