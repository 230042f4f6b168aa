"""What a run keeps in a checkpoint beside weights and optimizer, and how it goes on from it."""

import platform

import mxnet as mx
import numpy as np

from ..checkpoint import restore
from ..utils.errors import UserError
from ..utils.log import get_logger
from ..version import __version__

_AVERAGE = "average.params"


def snapshot(trainer):
    """(meta, files) of a `Trainer` for `CheckpointStore.save`."""
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
    if update.average:
        meta["averaged_updates"] = update.average.updates
    more, files = trainer.more_state()
    if update.average:
        files = {**files, _AVERAGE: update.average.means}
    return {**meta, **more}, files


def go_on(trainer, folder, meta):
    """Put a checkpoint into a `Trainer` that was made with the same options."""
    found = meta.get("dtype", trainer.dtype)
    if found != trainer.dtype and "float16" in (found, trainer.dtype):
        raise UserError(f"{folder} was trained in {found}, here it would be {trainer.dtype}: go on where it was begun")
    processes = meta.get("processes", trainer.backend.size)
    if processes != trainer.backend.size:
        get_logger().info("begun by %d process(es), gone on with by %d", processes, trainer.backend.size)
    counted = _recount(meta["optimizer"], meta.get("updates_per_epoch"), trainer.update.per_epoch)
    restore(folder, {**meta, "optimizer": counted}, trainer.net, trainer.optimizer)
    trainer.epoch, trainer.history, trainer.best = meta["epoch"], meta["history"], meta["best"]
    update = trainer.update
    if update.scaler and "loss_scale" in meta:
        update.scaler.load(meta["loss_scale"])
    if update.average:
        update.average.load(mx.nd.load(str(folder / _AVERAGE)), meta["averaged_updates"])


def begin_at(trainer, epoch):
    """Let a `Trainer` count its epochs, and the optimizer the updates on which its schedule depends, from `epoch`."""
    trainer.epoch, optimizer = epoch, trainer.optimizer.optimizer
    optimizer.begin_num_update = optimizer.num_update = epoch * trainer.update.per_epoch


def _recount(numbers, before, now):
    """The optimizer's counts of updates, on which the schedule depends, for epochs of another length."""
    if before in (None, now):
        return numbers
    counts = {name: round(count * now / before) for name, count in numbers["counts"].items()}
    return {**numbers, "num_update": round(numbers["num_update"] * now / before), "counts": counts}
