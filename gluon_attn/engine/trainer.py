"""The training loop."""

import contextlib
from functools import partial
from time import perf_counter

import mxnet as mx
from mxnet import autograd
from mxnet.gluon.utils import split_and_load

from ..nn.layers import DropPath, contains, set_drop_path
from ..utils import cpu
from ..utils.errors import TrainingError, UserError
from ..utils.log import get_logger
from ..utils.seed import seed_all
from .backend import Backend
from .ema import statistics
from .evaluate import evaluate
from .freeze import freeze
from .loss import Loss
from .metrics import Meter, Timed
from .precision import computing, training_operators, usable_dtype
from .state import go_on
from .sync import synchronize_norms
from .update import make_update

_ADVICE = "try a lower --lr, --warmup-epochs or --clip-grad"


class Trainer:
    """Trains a network as a `RunConfig` says.

    net: initialized, on `contexts`. loaders: have `len()` and `epoch(number, epochs)`, which yields (images,
    labels) batches. callbacks: see `callbacks.Callback`; they run in the order given. backend: see `backend.connect`.
    teacher: a trained network on `contexts` to learn from as `config.distill` says, or None; it is not saved. apart:
    parameters of `net` that the optimizer leaves alone.

    Everything random in epoch e follows from (seed, rank, e) alone, so a run can go on from any epoch's end.
    `compute` is what runs: `net`, or its form in another number type on the same weights.
    `epoch` counts finished epochs, `history` has one record of each, `best` is the best of their scores.
    """

    def __init__(self, net, config, contexts, train, val, callbacks=(), backend=None, teacher=None, apart=()):
        self.net, self.config, self.contexts = net, config, contexts
        self.train_loader, self.val_loader, self.callbacks = train, val, list(callbacks)
        self.backend = backend or Backend()
        self.epoch, self.history, self.best = 0, [], None
        self.dtype = usable_dtype(config.train.dtype, contexts, cpu.has_bfloat16(cpu.Host()))
        operators = partial(training_operators, self.dtype, contexts, config.train.kernels)
        self.operators = operators()
        self.frozen = freeze(net, config.optim.freeze) if config.optim.freeze else set()
        if config.optim.sync_bn:
            synchronize_norms(net, contexts, self.backend)
        if config.train.drop_path_prob and not contains(net, DropPath):
            raise UserError("--drop-path-prob: the network has no paths to drop; leave it out")
        hybrid = config.train.mode == "hybrid"
        with operators():  # the graphs of mixed precision are made here, others as they first run
            self.compute = computing(net, self.dtype, hybrid)
            form = computing(teacher, self.dtype, hybrid) if teacher is not None else None
        self.loss = Loss(config.distill, form, config.train.auxiliary_weight)
        self.update = make_update(net, config, contexts, len(train), self.dtype, self.backend, apart)
        self.optimizer = self.update.trainer

    def resume(self, folder, meta):
        """Go on from a checkpoint: its folder and what `CheckpointStore.newest` read there."""
        go_on(self, folder, meta)

    def more_state(self):
        """(meta, files) that a checkpoint keeps besides, for subclasses; `resume` hands them back."""
        return {}, {}

    def tested(self):
        """A context in which `net` has the weights that are tested and kept: the averaged ones with `--ema`."""
        return self.update.average.applied() if self.update.average else contextlib.nullcontext()

    def fit(self):
        """Train the epochs that are left; returns the record of the best one."""
        with self.operators, self.backend.watched():
            if self.backend.total([self.epoch]) != [self.epoch * self.backend.size]:
                raise UserError("the processes do not see the same checkpoints: their hosts must share the run folder")
            self.backend.broadcast(self.net)
            best = self._fit()
            self.backend.barrier()
            return best

    def _fit(self):
        self._tell("start")
        try:
            while self.epoch < self.config.train.num_epochs and not self._stale():
                record = self._run_epoch()
                self.epoch += 1
                self.history.append(record)
                if self.best is None or record["val_accuracy"] > self.best["val_accuracy"]:
                    self.best = record
                self._tell("epoch_end", record)
        finally:
            self._tell("stop")
        return self.best

    def _stale(self):
        """Whether `patience` epochs have brought nothing better; follows from the history, so resuming agrees."""
        patience = self.config.train.patience
        if patience is None or self.best is None or self.epoch - 1 - self.best["epoch"] < patience:
            return False
        get_logger().info("no better test accuracy in %d epochs: stopped early", patience)
        return True

    def _run_epoch(self):
        seed_all(self.config.train.seed, self.backend.rank, self.epoch)
        if self.config.train.drop_path_prob is not None:
            set_drop_path(self.net, self.config.train.drop_path_prob * self.epoch / self.config.train.num_epochs)
        self._tell("epoch_start")
        begin = perf_counter()
        trained, images, waited = self._train_epoch()
        seconds = perf_counter() - begin
        with self.tested():
            tested = evaluate(self.compute, self.val_loader, self.contexts, self.backend.total)
        record = {"epoch": self.epoch, "lr": self.optimizer.learning_rate}
        if self.update.scaler:
            record["loss_scale"] = self.update.scaler.scale
        record.update({f"train_{key}": value for key, value in trained.items()})
        record.update({f"val_{key}": value for key, value in tested.items()})
        record.update(seconds=round(seconds, 3), data_seconds=round(waited, 3))
        return {**record, "images_per_second": round(images / seconds, 1)}

    def _train_epoch(self):
        """(scores, images seen by all processes, seconds in which this one waited for batches)."""
        meter = Meter()
        batches = self.train_loader.epoch(self.epoch, self.config.train.num_epochs)
        timed = Timed(batches)
        try:
            for step, (data, label) in enumerate(timed):
                meter.add(*self.train_step(data, label, step))
                self._check(meter)
                self._tell("step", step, meter)
        finally:
            batches.close()
        if self.update.pending:
            self.update.apply()
        meter.flush()
        self._check(meter)
        self._check_weights()
        mx.nd.waitall()  # see WeightAverage.update
        self.backend.average(statistics(self.net, self.frozen, self.update.average))
        return meter.result(self.backend.total), meter.images * self.backend.size, timed.seconds

    def train_step(self, data, label, step=0):
        """Learn from batch `step`, with an update where one is due; returns losses, outputs, labels, one a device."""
        scores = self._forward_backward(data, label)
        if (step + 1) % self.config.optim.accumulate == 0:
            self.update.apply()
        return scores

    def _forward_backward(self, data, label):
        """Gradients of one batch; returns losses, outputs and labels, one a device."""
        images = split_and_load(data, self.contexts, even_split=False)
        labels = split_and_load(label, self.contexts, even_split=False)
        targets = [self.loss.targets(x) for x in images]
        with autograd.record():
            outputs = [self.compute(x) for x in images]
            losses = [self.loss(output, y, *t) for output, y, t in zip(outputs, labels, targets, strict=True)]
        self.update.backward(losses, len(data))
        return losses, [y[0] if isinstance(y, tuple | list) else y for y in outputs], labels

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
