"""What happens around the loop, one small class each.

Order of events: `start`; in each epoch `epoch_start`, `step` after every batch, `epoch_end` once the epoch is in
the history; `stop` last, also after an error. Within one event callbacks run in the order of the trainer's list.
"""

import json
import platform
import sys
from pathlib import Path

import mxnet as mx
import numpy as np
from tqdm import tqdm

from ..nn.params import save_params
from ..utils.files import ensure_dir, write_text
from ..utils.log import get_logger
from ..utils.optional import require
from ..version import __version__


class Callback:
    """Does nothing at every event; subclasses do something at some."""

    def start(self, trainer):
        """Before the first epoch."""

    def epoch_start(self, trainer):
        """Before the first batch of epoch `trainer.epoch`."""

    def step(self, trainer, step, meter):
        """After batch `step` (from 0); `meter` has read all batches but the newest."""

    def epoch_end(self, trainer, record):
        """After evaluation; `record` is the newest of `trainer.history`, `trainer.epoch` counts finished epochs."""

    def stop(self, trainer):
        """At the end, whatever ended the run."""


class Progress(Callback):
    """A bar on a terminal, else a line every `interval` batches; one line an epoch on both."""

    def __init__(self, interval):
        self._interval = interval
        self._bar = None

    def epoch_start(self, trainer):
        if sys.stderr.isatty():
            self._bar = tqdm(total=len(trainer.train_loader), desc=f"epoch {trainer.epoch}", unit="batch", leave=False)

    def step(self, trainer, step, meter):
        if self._bar is not None:
            self._bar.update()
            self._bar.set_postfix(loss=f"{meter.last_loss:.3f}", refresh=False)
        elif (step + 1) % self._interval == 0:
            total = len(trainer.train_loader)
            get_logger().info("epoch %d batch %d/%d loss %.4f", trainer.epoch, step + 1, total, meter.last_loss)

    def epoch_end(self, trainer, record):
        self.stop(trainer)
        get_logger().info(
            "epoch %d: train loss %.4f accuracy %.4f, test loss %.4f accuracy %.4f (best %.4f), %.1f s, %.0f img/s",
            record["epoch"], record["train_loss"], record["train_accuracy"], record["val_loss"],
            record["val_accuracy"], trainer.best["val_accuracy"], record["seconds"], record["images_per_second"],
        )  # fmt: skip

    def stop(self, trainer):
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class MetricsFile(Callback):
    """metrics.jsonl: one JSON object an epoch. Rewritten from the history, so a resumed run has no epoch twice."""

    def __init__(self, path):
        self._path = path

    def epoch_end(self, trainer, record):
        write_text(self._path, "".join(json.dumps(entry) + "\n" for entry in trainer.history))


class Best(Callback):
    """best.params: the weights of the epoch with the best test accuracy."""

    def __init__(self, path):
        self._path = path

    def epoch_end(self, trainer, record):
        if trainer.best is record:
            save_params(trainer.net, self._path)


class Periodic(Callback):
    """A parameter file every `period` epochs, `FOLDER/NAME-EPOCH.params`."""

    def __init__(self, folder, name, period):
        self._folder, self._name, self._period = Path(folder), name, period

    def epoch_end(self, trainer, record):
        if trainer.epoch % self._period == 0:
            save_params(trainer.net, self._folder / f"{self._name}-{trainer.epoch:04d}.params")


class Checkpoints(Callback):
    """A checkpoint after every epoch; it comes last, so what it says is done is done."""

    def __init__(self, store):
        self._store = store

    def epoch_end(self, trainer, record):
        meta = {
            "epoch": trainer.epoch,
            "best": trainer.best,
            "history": trainer.history,
            "versions": {
                "gluon_attn": __version__,
                "mxnet": mx.__version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
        }
        self._store.save(trainer.net, trainer.optimizer, meta)


class Curves(Callback):
    """Draws the history anew after every epoch with `draw(history, path)`."""

    def __init__(self, draw, path):
        self._draw, self._path = draw, path

    def epoch_end(self, trainer, record):
        self._draw(trainer.history, self._path)


class TensorBoard(Callback):
    """Every number of each epoch's record, as TensorBoard events in `folder`."""

    def __init__(self, folder):
        self._writer_class = require("tensorboardX").SummaryWriter
        self._folder, self._writer = folder, None

    def start(self, trainer):
        self._writer = self._writer_class(str(ensure_dir(self._folder)), purge_step=trainer.epoch)

    def epoch_end(self, trainer, record):
        for key, value in record.items():
            self._writer.add_scalar(key, value, record["epoch"])
        self._writer.flush()

    def stop(self, trainer):
        if self._writer is not None:
            self._writer.close()
