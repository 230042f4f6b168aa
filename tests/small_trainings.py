"""Trainings of a few seconds on 96 synthetic images, for tests of the loop."""

import mxnet as mx
from mxnet import gluon

from gluon_attn import get_model
from gluon_attn.config.data import DataConfig
from gluon_attn.config.distill import DistillConfig
from gluon_attn.config.optim import OptimConfig
from gluon_attn.config.train import RunConfig, TrainConfig
from gluon_attn.data.factory import build
from gluon_attn.engine.callbacks import Callback
from gluon_attn.engine.classification import Classification, Distillation
from gluon_attn.engine.trainer import Trainer
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
