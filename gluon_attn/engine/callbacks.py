"""What happens around the loop, one small class each.

Order of events: `start`; in each epoch `epoch_start`, `step` after every batch, `epoch_end` once the epoch is in
the history; `stop` last, also after an error. Within one event callbacks run in the order of the trainer's list.
"""

import json
import sys
from pathlib import Path

from tqdm import tqdm

from ..nn.params import save_params
from ..utils.files import write_text
from ..utils.log import get_logger
from .state import snapshot


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
            "epoch %d: train loss %.4f accuracy %.4f, test loss %.4f accuracy %.4f (best %.4f), "
            "%.1f s (%.0f%% waiting for data), %.0f img/s%s",
            record["epoch"], record["train_loss"], record["train_accuracy"], record["val_loss"],
            record["val_accuracy"], trainer.best["val_accuracy"], record["seconds"],
            100 * record["data_seconds"] / record["seconds"], record["images_per_second"],
            f", loss scale {record['loss_scale']:g}" if "loss_scale" in record else "",
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
            with trainer.tested():
                save_params(trainer.net, self._path)


class Periodic(Callback):
    """A parameter file every `period` epochs, `FOLDER/NAME-EPOCH.params`."""

    def __init__(self, folder, name, period):
        self._folder, self._name, self._period = Path(folder), name, period

    def epoch_end(self, trainer, record):
        if trainer.epoch % self._period == 0:
            with trainer.tested():
                save_params(trainer.net, self._folder / f"{self._name}-{trainer.epoch:04d}.params")


class Checkpoints(Callback):
    """A checkpoint after every epoch; it comes last, so what it says is done is done."""

    def __init__(self, store):
        self._store = store

    def epoch_end(self, trainer, record):
        meta, files = snapshot(trainer)
        self._store.save(trainer.net, trainer.optimizer, meta, files)


class Curves(Callback):
    """Draws the history anew after every epoch with `draw(history, path)`."""

    def __init__(self, draw, path):
        self._draw, self._path = draw, path

    def epoch_end(self, trainer, record):
        self._draw(trainer.history, self._path)
