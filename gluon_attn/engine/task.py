"""What a network learns, as the trainer sees it.

The trainer knows epochs, updates, devices and processes. A task knows the rest: what a batch is, the forward pass and
the losses of a batch, what is measured, how to evaluate, which score is the best, and what a checkpoint saves besides
weights and optimizer. Classification and distillation are in `classification.py`, the gradient searches in
`search/darts/task.py`.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import mxnet as mx
from mxnet.gluon import HybridBlock

from ..config.scores import Score
from .backend import Backend
from .metrics import Meter
from .update import Update

#: sums a list of numbers over the processes of a run
SumOverProcesses = Callable[[Sequence[float]], Sequence[float]]
#: what one device gets of a batch, and what its forward pass leaves for the meter; both are the task's own
Shard = Any
Measured = Any


class TrainingLoop(Protocol):
    """The `Trainer`, as tasks and callbacks see it.

    Attributes:
        net: the network, with the weights that are trained.
        task: what it learns.
        config: the options of the run.
        contexts: the devices of this process.
        backend: the processes of the run.
        train_loader: the training data; has `len()`, the batches of an epoch.
        dtype: of the forward pass, such as "float32".
        forward: runs forward passes of `net` in the dtype and mode of this run.
        update: turns losses into new weights; has the optimizer, the EMA and the loss scale.
        epoch: number of finished epochs.
        history: one record per finished epoch, JSON data.
        best: the record with the best score; None before the first epoch's end.
        frozen: structural names of the parameters that are not trained in this epoch.
    """

    net: HybridBlock
    task: "Task"
    config: Any
    contexts: Sequence[mx.Context]
    backend: Backend
    train_loader: Any
    dtype: str
    forward: Any
    update: Update
    epoch: int
    history: list[dict]
    best: dict | None
    frozen: set[str]

    @property
    def gluon_trainer(self) -> mx.gluon.Trainer:
        """Gluon's trainer, which holds the optimizer."""

    @property
    def waited(self) -> float:
        """Seconds of this epoch in which this process waited for batches."""

    def compiled(self, net: HybridBlock) -> Callable:
        """What runs forward passes of `net` in the dtype and mode of this run."""

    def ema_weights(self) -> contextlib.AbstractContextManager:
        """A context in which `net` has the weights that are evaluated and saved: those of the EMA, if there is one."""

    def stop(self, reason: str) -> None:
        """Ask the run to end after this epoch; for callbacks, which must ask in all processes alike."""


class Task:
    """The contract of a task. A batch is a tuple that its loader and the task agree on; nobody else looks into it.

    Attributes:
        score: the score that decides which epoch is the best.
    """

    score: Score

    def prepare(self, trainer: TrainingLoop) -> None:
        """Called once, when the trainer is complete and compiled operators are active: make what the task needs."""

    def split(self, batch: tuple, contexts: Sequence[mx.Context]) -> list[Shard]:
        """The shards of a batch, one per device. Runs outside of `autograd.record`: no gradient goes through it."""
        raise NotImplementedError

    def images(self, batch: tuple) -> int:
        """Number of images in a batch; gradients are averaged over them."""
        raise NotImplementedError

    def forward(self, net: Callable, shard: Shard) -> tuple[mx.nd.NDArray, Measured]:
        """Forward pass and losses of one shard, while gradients are recorded.

        Args:
            net: what computes in training, the network or its mixed-precision form.
            shard: one of `split`.

        Returns:
            The losses, whose SUM is differentiated (one per image, or one number for all), and what the meter is
            shown beside them.
        """
        raise NotImplementedError

    def meter(self) -> Meter:
        """A new meter for one epoch of training."""
        return Meter()

    def evaluate(self, net: Callable, loader: Any, contexts: Sequence[mx.Context], total: SumOverProcesses) -> dict:
        """Evaluate the network. Records have the scores as `val_NAME`.

        Args:
            net: what computes, the network or its mixed-precision form, on all of `contexts`.
            loader: has `epoch(0)`, which yields batches.
            contexts: the devices of this process.
            total: sums a list of numbers over the processes.

        Returns:
            Name -> score.
        """
        raise NotImplementedError

    def start_step(self, trainer: TrainingLoop, batch: tuple) -> None:
        """Called before the forward pass of each training batch."""

    def epoch(self, trainer: TrainingLoop) -> contextlib.AbstractContextManager:
        """A context around each epoch, training and evaluation."""
        return contextlib.nullcontext()

    def epoch_record(self, trainer: TrainingLoop) -> dict:
        """Further entries of an epoch's record, JSON data."""
        return {}

    def describe(self, record: Mapping[str, Any], best: Mapping[str, Any]) -> str:
        """Losses and scores of an epoch as text for the log.

        Args:
            record: of the epoch.
            best: the record of the best epoch so far.
        """
        return f"train loss {record['train_loss']:.4f}, {self.score.name} {self.score.of(record):.4f}"

    def state(self, trainer: TrainingLoop) -> tuple[dict, dict]:
        """Further state for a checkpoint: (entries of meta.json, file name -> {name: NDArray})."""
        return {}, {}

    def load_state(self, trainer: TrainingLoop, folder: Path, meta: dict) -> None:
        """Restore what `state` saved, from the folder of a checkpoint and its meta.json."""
