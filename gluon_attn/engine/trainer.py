"""The training loop."""

import time

import mxnet as mx
from mxnet import autograd
from mxnet.gluon.loss import SoftmaxCrossEntropyLoss
from mxnet.gluon.utils import split_and_load

from ..checkpoint import restore
from ..utils.errors import TrainingError
from ..utils.seed import seed_all
from .evaluate import evaluate
from .metrics import Meter
from .optim import clip_gradients, make_trainer
from .schedule import Schedule

_ADVICE = "try a lower --lr, --warmup-epochs or --clip-grad"


class Trainer:
    """Trains a network as a `RunConfig` says.

    net: initialized, on `contexts`. loaders: have `len()` and `epoch(number, epochs)`, which yields (images,
    labels) batches. callbacks: see `callbacks.Callback`; they run in the order given. rank: this process's number.

    Everything random in epoch e follows from (seed, rank, e) alone, so a run can go on from any epoch's end.
    `epoch` counts finished epochs, `history` has one record of each, `best` is the best of their scores.
    """

    def __init__(self, net, config, contexts, train, val, callbacks=(), rank=0):
        self.net, self.config, self.contexts, self.rank = net, config, contexts, rank
        self.train_loader, self.val_loader, self.callbacks = train, val, list(callbacks)
        schedule = Schedule(config.optim, config.train.num_epochs, len(train))
        self.optimizer = make_trainer(net, config.optim, schedule)
        self.epoch, self.history, self.best = 0, [], None
        self.criteria = {soft: SoftmaxCrossEntropyLoss(sparse_label=not soft) for soft in (False, True)}
        if config.train.mode == "hybrid":
            net.hybridize(static_alloc=True, static_shape=True)

    def resume(self, folder, meta):
        """Go on from a checkpoint: its folder and what `CheckpointStore.newest` read there."""
        restore(folder, meta, self.net, self.optimizer)
        self.epoch, self.history, self.best = meta["epoch"], meta["history"], meta["best"]

    def fit(self):
        """Train the epochs that are left; returns the record of the best one."""
        self._tell("start")
        try:
            while self.epoch < self.config.train.num_epochs:
                record = self._run_epoch()
                self.epoch += 1
                self.history.append(record)
                if self.best is None or record["val_accuracy"] > self.best["val_accuracy"]:
                    self.best = record
                self._tell("epoch_end", record)
        finally:
            self._tell("stop")
        return self.best

    def _run_epoch(self):
        seed_all(self.config.train.seed, self.rank, self.epoch)
        self._tell("epoch_start")
        begin = time.perf_counter()
        trained, images = self._train_epoch()
        seconds = time.perf_counter() - begin
        tested = evaluate(self.net, self.val_loader, self.contexts)
        record = {"epoch": self.epoch, "lr": self.optimizer.learning_rate}
        record.update({f"train_{key}": value for key, value in trained.items()})
        record.update({f"val_{key}": value for key, value in tested.items()})
        return {**record, "seconds": round(seconds, 3), "images_per_second": round(images / seconds, 1)}

    def _train_epoch(self):
        meter = Meter()
        batches = self.train_loader.epoch(self.epoch, self.config.train.num_epochs)
        try:
            for step, (data, label) in enumerate(batches):
                meter.add(*self._step(data, label))
                self._check(meter)
                self._tell("step", step, meter)
        finally:
            batches.close()
        meter.flush()
        self._check(meter)
        self._check_weights()
        return meter.result(), meter.images

    def _step(self, data, label):
        """Forward, backward and update for one batch; returns losses, outputs and labels, one a device."""
        images = split_and_load(data, self.contexts, even_split=False)
        labels = split_and_load(label, self.contexts, even_split=False)
        criterion = self.criteria[label.ndim == 2]
        with autograd.record():
            outputs = [self.net(x) for x in images]
            losses = [criterion(output, y) for output, y in zip(outputs, labels, strict=True)]
        autograd.backward(losses)
        if self.config.optim.clip_grad is not None:
            self.optimizer.allreduce_grads()
            clip_gradients(self.optimizer, self.config.optim.clip_grad * len(data))
            self.optimizer.update(len(data))
        else:
            self.optimizer.step(len(data))
        return losses, outputs, labels

    def _check(self, meter):
        if not meter.finite:
            raise TrainingError(
                f"the loss became {meter.last_loss} in epoch {self.epoch}, batch {meter.batches - 1}, at learning "
                f"rate {self.optimizer.learning_rate:g}; {_ADVICE}"
            )

    def _check_weights(self):
        """ReLU turns NaN into 0, so a ruined network can have a fine loss: look at what would be saved."""
        for name, param in self.net._collect_params_with_prefix().items():
            if not mx.nd.multi_all_finite(param.data(self.contexts[0]), num_arrays=1).asscalar():
                raise TrainingError(f"{name} holds values that are not finite after epoch {self.epoch}; {_ADVICE}")

    def _tell(self, event, *details):
        for callback in self.callbacks:
            getattr(callback, event)(self, *details)
