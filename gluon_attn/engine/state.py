"""What a run keeps in a checkpoint beside weights and optimizer, and how it resumes from it."""

import platform
from pathlib import Path

import mxnet as mx
import numpy as np

from ..checkpoint import restore
from ..nn.params import read_tensors
from ..utils.errors import UserError
from ..utils.log import get_logger
from ..version import __version__
from .task import TrainingLoop

_EMA = "average.params"


def snapshot(trainer: TrainingLoop) -> tuple[dict, dict]:
    """(meta, files) of a trainer for `CheckpointStore.save`."""
    update = trainer.update
    meta = {
        "epoch": trainer.epoch,
        "best": trainer.best,
        "history": trainer.history,
        "dtype": trainer.dtype,
        "processes": trainer.backend.size,
        "updates_per_epoch": update.per_epoch,
        "versions": {
            "gluon_attn": __version__,
            "mxnet": mx.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
    if update.scaler:
        meta["loss_scale"] = update.scaler.state()
    if update.ema:
        meta["averaged_updates"] = update.ema.updates
    more, files = trainer.task.state(trainer)
    if update.ema:
        files = {**files, _EMA: update.ema.values}
    return {**meta, **more}, files


def resume(trainer: TrainingLoop, folder: Path, meta: dict) -> None:
    """Put a checkpoint into a trainer that was made with the same options.

    Args:
        trainer: the trainer; its network, optimizer, EMA, history and epoch are set.
        folder: the folder of the checkpoint.
        meta: its meta.json.

    Raises:
        UserError: the checkpoint is of training in float16, this run is not, or the other way round.
    """
    found = meta.get("dtype", trainer.dtype)
    if found != trainer.dtype and "float16" in (found, trainer.dtype):
        raise UserError(
            f"{folder} was trained in {found}, here it would be {trainer.dtype}: resume it where it was started"
        )
    processes = meta.get("processes", trainer.backend.size)
    if processes != trainer.backend.size:
        get_logger().info("started by %d process(es), resumed by %d", processes, trainer.backend.size)
    counted = _recount(meta["optimizer"], meta.get("updates_per_epoch"), trainer.update.per_epoch)
    restore(folder, {**meta, "optimizer": counted}, trainer.net, trainer.gluon_trainer)
    trainer.epoch, trainer.history, trainer.best = meta["epoch"], meta["history"], meta["best"]
    update = trainer.update
    if update.scaler and "loss_scale" in meta:
        update.scaler.load(meta["loss_scale"])
    if update.ema:
        update.ema.load(read_tensors(folder / _EMA), meta["averaged_updates"])


def start_at_epoch(trainer: TrainingLoop, epoch: int) -> None:
    """Let a trainer count its epochs, and the updates that its schedule depends on, from `epoch`."""
    trainer.epoch, optimizer = epoch, trainer.gluon_trainer.optimizer
    optimizer.begin_num_update = optimizer.num_update = epoch * trainer.update.per_epoch


def _recount(numbers, before, now):
    """The optimizer's counts of updates, which the schedule depends on, for epochs of another length."""
    if before in (None, now):
        return numbers
    counts = {name: round(count * now / before) for name, count in numbers["counts"].items()}
    return {**numbers, "num_update": round(numbers["num_update"] * now / before), "counts": counts}
