"""The training loop."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import mxnet as mx
from mxnet import autograd
from mxnet.gluon import HybridBlock, Parameter

from ..checkpoint import reading
from ..nn.layers import DropPath, contains, set_drop_path
from ..utils import cpu
from ..utils.errors import TrainingError, UserError
from ..utils.log import get_logger
from ..utils.seed import seed_all
from . import state
from .backend import Backend
from .callbacks import Callback, Patience
from .ema import running_statistics
from .metrics import TimedBatches
from .precision import computing, training_operators, usable_dtype
from .prepare_network import freeze, synchronize_norms
from .schedule import schedule_warnings
from .task import Task
from .update import make_update

_ADVICE = "lower option lr, or set option warmup_epochs or option clip_grad"


class Trainer:
    """Trains a network at a task, as the options say.

    Everything random in epoch e follows from (seed, rank, e) alone, so a run can be resumed from any epoch's end.

    Args:
        net: initialized, on `contexts`.
        task: what is learned and measured, see `Task`.
        config: the options of the run, a `RunConfig` or another config with its groups data, optim and train.
        contexts: the devices of this process.
        train: training data; has `len()`, the batches of an epoch, and `epoch(number, epochs)`, which yields batches
            that the task understands.
        val: evaluation data; has `epoch(0)`.
        callbacks: see `callbacks.Callback`; they run in this order.
        backend: the processes of the run, see `backend.connect` (default: this one alone).
        excluded: parameters of `net` that the optimizer leaves alone.

    Attributes:
        forward: runs forward passes: the network, or its form in another dtype with the same weights.
        update: the `Update` that turns losses into new weights.
        epoch: number of finished epochs.
        history: one record per finished epoch, JSON data.
        best: the record with the best score, the first of several; None before the first epoch's end.
    """

    def __init__(
        self,
        net: HybridBlock,
        task: Task,
        config: Any,
        contexts: Sequence[mx.Context],
        train: Any,
        val: Any,
        callbacks: Iterable[Callback] = (),
        backend: Backend | None = None,
        excluded: Iterable[Parameter] = (),
    ):
        self.net, self.task, self.config, self.contexts = net, task, config, contexts
        self.train_loader, self.val_loader = train, val
        self.backend = backend or Backend()
        self.callbacks = list(callbacks)
        if config.train.patience is not None:
            self.callbacks.append(Patience(config.train.patience))
        self.epoch, self._stopping, self._timed = 0, False, TimedBatches(())
        self.history: list[dict] = []
        self.best: dict | None = None
        self.dtype = usable_dtype(config.train.dtype, contexts, cpu.has_bfloat16(cpu.Host()))
        operators = partial(training_operators, self.dtype, contexts, config.train.kernels)
        self.operators = operators()
        self.frozen = freeze(net, config.optim.freeze) if config.optim.freeze else set()
        if config.optim.sync_bn:
            synchronize_norms(net, contexts, self.backend)
        if config.train.drop_path_prob and not contains(net, DropPath):
            raise UserError("option drop_path_prob: the network has no paths to drop; leave it out")
        with operators():  # mixed-precision graphs are made here, others at their first pass
            self.forward = self.compiled(net)
            self.update = make_update(net, config, contexts, len(train), self.dtype, self.backend, excluded)
            task.prepare(self)

    @property
    def gluon_trainer(self) -> mx.gluon.Trainer:
        """Gluon's trainer, which holds the optimizer."""
        return self.update.trainer

    @property
    def waited(self) -> float:
        """Seconds of this epoch in which this process waited for batches."""
        return self._timed.seconds

    def compiled(self, net: HybridBlock) -> Callable:
        """A callable that runs forward passes of `net` in the dtype and mode of this run, see `precision.computing`."""
        return computing(net, self.dtype, self.config.train.mode == "hybrid")

    def resume(self, folder: Path, meta: dict) -> None:
        """Continue from a checkpoint: its folder and what `CheckpointStore.newest` read there."""
        with reading(folder):
            state.resume(self, folder, meta)
            self.task.load_state(self, folder, meta)

    def ema_weights(self) -> contextlib.AbstractContextManager:
        """A context in which `net` has the weights that are evaluated and saved: those of the EMA, if there is one."""
        return self.update.ema.applied() if self.update.ema else contextlib.nullcontext()

    def stop(self, reason: str) -> None:
        """Ask the run to end after this epoch; for callbacks, which must ask in all processes alike."""
        get_logger().info("%s: stopped early", reason)
        self._stopping = True

    def fit(self) -> dict:
        """Train the epochs that are left.

        Returns:
            The record of the best epoch; the options see to it that there is one.

        Raises:
            TrainingError: a loss or a weight is not finite, or another process of the run has ended.
            UserError: the processes do not see the same checkpoints.
        """
        with self.operators, self.backend.peer_failures():
            if self.backend.allreduce_sum([self.epoch]) != [self.epoch * self.backend.size]:
                raise UserError("the processes do not see the same checkpoints: their hosts must share the run folder")
            self.backend.broadcast(self.net)
            best = self._fit()
            self.backend.barrier()
            return best

    def _fit(self):
        self._stopping = False
        length = self.config.train.num_epochs, self.update.per_epoch
        for line in () if self.backend.rank else schedule_warnings(self.config.optim, *length):
            get_logger().warning(line)
        self._tell("start")
        try:
            while self.epoch < self.config.train.num_epochs and not self._stopping:
                record = self._run_epoch()
                self.epoch += 1
                self.history.append(record)
                if self.best is None or self.task.score.is_better(record, self.best):
                    self.best = record
                self._tell("epoch_end", record)
        finally:
            self._tell("stop")
        return self.best

    def _run_epoch(self):
        with self.task.epoch(self):
            seed_all(self.config.train.seed, self.backend.rank, self.epoch)
            if self.config.train.drop_path_prob is not None:
                set_drop_path(self.net, self.config.train.drop_path_prob * self.epoch / self.config.train.num_epochs)
            self._tell("epoch_start")
            begin = perf_counter()
            trained, images, waited = self._train_epoch()
            seconds = perf_counter() - begin
            with self.ema_weights():
                evaluated = self.task.evaluate(
                    self.forward, self.val_loader, self.contexts, self.backend.allreduce_sum
                )  # fmt: skip
        record = {"epoch": self.epoch, "lr": self.gluon_trainer.learning_rate}
        if self.update.scaler:
            record["loss_scale"] = self.update.scaler.scale
        record.update({f"train_{key}": value for key, value in trained.items()})
        record.update({f"val_{key}": value for key, value in evaluated.items()})
        record.update(seconds=round(seconds, 3), data_seconds=round(waited, 3))
        return {**record, "images_per_second": round(images / seconds, 1), **self.task.epoch_record(self)}

    def _train_epoch(self):
        """(scores, images seen by all processes, seconds in which this one waited for batches)."""
        meter = self.task.meter()
        batches = self.train_loader.epoch(self.epoch, self.config.train.num_epochs)
        timed = self._timed = TimedBatches(batches)
        try:
            for step, batch in enumerate(timed):
                meter.add(*self.train_step(batch, step))
                self._check(meter)
                self._tell("step", step, meter)
        finally:
            batches.close()
        if self.update.pending:
            self.update.apply()
        meter.flush()
        self._check(meter)
        self._check_weights()
        mx.nd.waitall()  # see WeightEMA.update
        self.backend.allreduce_mean(running_statistics(self.net, self.frozen, self.update.ema))
        return meter.result(self.backend.allreduce_sum), meter.images * self.backend.size, timed.seconds

    def train_step(self, batch: tuple, step: int = 0) -> tuple[list, list]:
        """Learn from a batch, with an update where one is due.

        Args:
            batch: as the task takes it.
            step: its number in the epoch, from 0; with option accumulate an update follows every so many.

        Returns:
            (losses, what the meter is shown), one of each per device.
        """
        self.task.start_step(self, batch)
        shards = self.task.split(batch, self.contexts)
        with autograd.record():
            results = [self.task.forward(self.forward, shard) for shard in shards]
        losses = [loss for loss, _ in results]
        self.update.backward(losses, self.task.images(batch))
        if (step + 1) % self.config.optim.accumulate == 0:
            self.update.apply()
        return losses, [measured for _, measured in results]

    def _check(self, meter):
        if not meter.finite:
            raise TrainingError(
                f"the loss became {meter.last_loss} in epoch {self.epoch}, batch {meter.batches - 1}, at learning "
                f"rate {self.gluon_trainer.learning_rate:g}; {_ADVICE}"
            )

    def _check_weights(self):
        """ReLU turns NaN into 0, so a ruined network can have a finite loss: look at what would be saved."""
        for name, param in self.net._collect_params_with_prefix().items():
            if not mx.nd.multi_all_finite(param.data(self.contexts[0]), num_arrays=1).asscalar():
                raise TrainingError(f"{name} holds values that are not finite after epoch {self.epoch}; {_ADVICE}")

    def _tell(self, event, *details):
        for callback in self.callbacks:
            getattr(callback, event)(self, *details)
