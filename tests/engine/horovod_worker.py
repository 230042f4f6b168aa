"""What each process of the Horovod tests runs: `horovod_worker.py MODE FOLDER`."""

import json
import os
import signal
import sys
from pathlib import Path

import gluon_attn  # noqa: F401  isort: skip - must come before MXNet
import mxnet as mx
from mxnet import gluon

from gluon_attn.cli import train_cifar
from gluon_attn.cli.guard import guarded
from gluon_attn.config.data import DataConfig
from gluon_attn.config.optim import OptimConfig
from gluon_attn.config.train import RunConfig, TrainConfig
from gluon_attn.data.factory import build
from gluon_attn.engine.backend import connect
from gluon_attn.engine.classification import Classification
from gluon_attn.engine.trainer import Trainer
from gluon_attn.utils.seed import seed_all

GLOBAL_BATCH = 32
#: name -> options of the optimizer
VARIANTS = {
    "plain": {},
    "one by one": {"num_groups": 0},
    "half": {"fp16_allreduce": True},
    "all": {"ema": 0.5, "accumulate": 2, "clip_grad": 0.5, "num_groups": 1},
    "norms": {"sync_bn": True},
    "imperative norms": {"sync_bn": True, "mode": "imperative"},
}


class Twice(gluon.HybridBlock):
    """The sum of two convolutions behind one norm, whose running statistics stay: the order of its uses is open."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.one, self.other = (gluon.nn.Conv2D(8, 3, in_channels=8) for _ in range(2))
            self.norm = gluon.nn.BatchNorm(in_channels=8, momentum=1)

    def hybrid_forward(self, F, x):
        return self.norm(self.one(x)) + self.norm(self.other(x))


def train(backend, mode="hybrid", images=96, epochs=2, size=16, **optim):
    """A `Trainer` after `epochs` on `images` of `size` pixels that no random change touches, without dropout.

    There are norms with `sync_bn` only; one of them is used twice, in branches that do not wait for each other.
    """
    data = DataConfig(
        dataset="synthetic", train_images=images, val_images=41, input_size=size, classes=6, num_workers=0,
        batch_size=GLOBAL_BATCH // backend.size, crop_padding=0, flip=False,
    )  # fmt: skip
    training = TrainConfig(num_epochs=epochs, seed=7, mode=mode)
    run = RunConfig(data=data, optim=OptimConfig(lr=0.05, **optim), train=training)
    sets = build(data, 7, rank=backend.rank, size=backend.size)
    seed_all(3, backend.rank)  # weights that differ until process 0 hands out its own
    net = gluon.nn.HybridSequential()
    net.add(gluon.nn.Conv2D(8, 3, in_channels=3, activation="relu"))
    if optim.get("sync_bn"):
        net.add(gluon.nn.BatchNorm(in_channels=8), Twice(), gluon.nn.Conv2D(8, 3, in_channels=8, activation="relu"))
    net.add(gluon.nn.GlobalAvgPool2D(), gluon.nn.Dense(6, in_units=8))
    net.initialize(mx.init.MSRAPrelu())
    net(mx.nd.zeros((1, 3, size, size))).wait_to_read()  # brings weights into a layout that cannot be sent
    trainer = Trainer(net, Classification(), run, [mx.cpu()], sets.train, sets.val, backend=backend)
    trainer.fit()
    return trainer


def gradients(backend, **optim):
    """Parameter name -> gradient of the first update, summed over the images of all processes.

    The images are small: one of the sums over all their pixels is float32's rounding away from another order's.
    """
    trainer = train(backend, images=GLOBAL_BATCH, epochs=1, size=8, **optim)
    return {n: p.grad() for n, p in trainer.net._collect_params_with_prefix().items() if p.grad_req != "null"}


def compare(folder):
    """Trains every variant; each process leaves its weights, history and rank."""
    backend = connect()
    for name, options in VARIANTS.items():
        trainer = train(backend, **options)
        trainer.net.save_parameters(str(folder / f"{name}-{backend.rank}.params"))
        mx.nd.save(str(folder / f"{name}-{backend.rank}.grads"), gradients(backend, **options))
        (folder / f"{name}-{backend.rank}.json").write_text(json.dumps(trainer.history))
    statistics = mx.nd.array([backend.rank, 10.0 * backend.rank])
    backend.allreduce_mean([statistics])
    (folder / f"average-{backend.rank}.json").write_text(json.dumps(statistics.asnumpy().tolist()))


def die(folder):
    """Runs train_cifar.py's command; process 1 is killed in the second epoch."""
    usual = Trainer._check

    def check(self, meter):
        usual(self, meter)
        if (self.backend.rank, self.epoch, meter.batches) == (1, 1, 1):
            os.kill(os.getpid(), signal.SIGKILL)

    Trainer._check = check
    os.chdir(folder)
    return guarded(lambda argv: train_cifar(argv), sys.argv[3:])


if __name__ == "__main__":
    sys.exit({"compare": compare, "die": die}[sys.argv[1]](Path(sys.argv[2])))
