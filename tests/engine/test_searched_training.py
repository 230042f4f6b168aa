"""Training with an auxiliary head and with paths that are dropped more and more."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import HybridBlock, nn
from mxnet.gluon.loss import SoftmaxCrossEntropyLoss

from gluon_attn.config.data import DataConfig
from gluon_attn.config.train import RunConfig, TrainConfig
from gluon_attn.data.factory import build
from gluon_attn.engine.callbacks import Callback
from gluon_attn.engine.classification import Classification
from gluon_attn.engine.loss import ClassificationLoss
from gluon_attn.engine.trainer import Trainer
from gluon_attn.nn.layers import DropPath
from gluon_attn.utils.errors import UserError

DATA = DataConfig(
    dataset="synthetic", train_images=32, val_images=8, input_size=8, classes=3, batch_size=16, num_workers=0
)


class TwoHeads(HybridBlock):
    """Two dense layers on dropped paths; the second is of training only. In front 12 channels, see `norm_layouts`."""

    def __init__(self, paths=True):
        super().__init__()
        self.stem, self.norm = nn.Conv2D(12, 3, in_channels=3), nn.BatchNorm(in_channels=12)
        self.drop = DropPath() if paths else nn.Activation("relu")
        self.first, self.second = nn.Dense(3), nn.Dense(3)

    def forward(self, x):
        outs = super().forward(x)
        return outs if mx.autograd.is_training() else outs[0]

    def hybrid_forward(self, F, x):
        x = self.drop(self.norm(self.stem(x)))
        return self.first(x), self.second(x)


@pytest.mark.parametrize("weight", [None, 0.0, 0.25])
def test_the_auxiliary_loss_by_its_formula(weight):
    logits, other = mx.nd.random.normal(shape=(4, 3)), mx.nd.random.normal(shape=(4, 3))
    label, plain = mx.nd.array([0, 1, 2, 1]), SoftmaxCrossEntropyLoss()
    found = ClassificationLoss(weight)((logits, other), label)
    share = 0.4 if weight is None else weight
    wanted = plain(logits, label) + share * plain(other, label)
    np.testing.assert_allclose(found.asnumpy(), wanted.asnumpy(), rtol=1e-6)


class Rates(Callback):
    def __init__(self):
        self.seen = []

    def step(self, trainer, step, meter):
        self.seen.append(round(trainer.net.drop.rate, 6))


def trainer(paths=True, callbacks=(), **train):
    net, data = TwoHeads(paths), build(DATA, 1)
    net.initialize()
    config = RunConfig(data=DATA, train=TrainConfig(num_epochs=4, **train))
    return Trainer(
        net, Classification(config.train.auxiliary_weight), config, [mx.cpu()], data.train, data.val, callbacks
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_both_heads_learn_and_paths_are_dropped_more_and_more(dtype):
    rates = Rates()
    made = trainer(callbacks=[rates], drop_path_prob=0.4, dtype=dtype)
    x = mx.nd.random.normal(shape=(16, 3, 8, 8))
    with mx.autograd.train_mode():
        first, _ = made.forward(x)
        assert np.array_equal(first.asnumpy(), made.forward(x)[0].asnumpy())  # nothing is dropped yet
    before = made.net.second.weight.data().asnumpy()
    made.fit()
    assert rates.seen == [0, 0, 0.1, 0.1, 0.2, 0.2, 0.3, 0.3]
    assert not np.array_equal(before, made.net.second.weight.data().asnumpy())
    with mx.autograd.train_mode():
        assert not np.array_equal(made.forward(x)[0].asnumpy(), made.forward(x)[0].asnumpy())
    assert made.forward(x).shape == (16, 3)


def test_a_network_without_paths():
    with pytest.raises(UserError, match="no paths to drop"):
        trainer(paths=False, drop_path_prob=0.1)
