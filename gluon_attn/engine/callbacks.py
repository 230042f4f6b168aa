"""What happens around the training loop, one small class each.

Order of events: `start`; in each epoch `epoch_start`, `step` after every batch, `epoch_end` once the epoch is in the
history; `stop` last, also after an error. Within one event callbacks run in the order of the trainer's list.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

from ..checkpoint import CheckpointStore
from ..nn.params import save_params
from ..utils import progress
from ..utils.files import write_text
from ..utils.log import get_logger
from .metrics import Meter
from .state import snapshot
from .task import TrainingLoop


class Callback:
    """Does nothing at every event; subclasses do something at some."""

    def start(self, trainer: TrainingLoop) -> None:
        """Before the first epoch."""

    def epoch_start(self, trainer: TrainingLoop) -> None:
        """Before the first batch of epoch `trainer.epoch`."""

    def step(self, trainer: TrainingLoop, step: int, meter: Meter) -> None:
        """After batch `step` (from 0); `meter` has read all batches but the newest."""

    def epoch_end(self, trainer: TrainingLoop, record: dict) -> None:
        """After evaluation; `record` is the newest of `trainer.history`, `trainer.epoch` counts finished epochs."""

    def stop(self, trainer: TrainingLoop) -> None:
        """At the end, whatever ended the run."""


class Progress(Callback):
    """A progress bar on a terminal, else a line every `interval` batches, and ten seconds; one per epoch on both."""

    def __init__(self, interval: int):
        self._interval = interval
        self._bar: progress.Progress | None = None
        self._begun = 0.0

    def epoch_start(self, trainer: TrainingLoop) -> None:
        """Open the bar."""
        self._begun = perf_counter()
        self._bar = progress.Progress(f"epoch {trainer.epoch}", len(trainer.train_loader), "batch")

    def step(self, trainer: TrainingLoop, step: int, meter: Meter) -> None:
        """Advance the bar; log a line after every `interval` batches where there is no terminal."""
        if self._bar is None:
            return
        has_line = (step + 1) % self._interval == 0 or self._bar.is_due
        full = has_line or self._bar.shows_bar
        shown = self.shown(trainer, meter) if full else Progress.shown(self, trainer, meter)
        words = [f"{name} {value}" for name, value in shown.items()]
        self._bar.update(1, ", ".join(words), partial(self._run_left, trainer, step + 1))
        if has_line:
            self._bar.line()
        if step + 1 == len(trainer.train_loader):
            self.stop(trainer)

    def shown(self, trainer: TrainingLoop, meter: Meter) -> dict:
        """What is shown beside the count, name -> value."""
        return {"loss": f"{meter.last_loss:.4f}"} if meter.batches else {}

    def _run_left(self, trainer: TrainingLoop, done: int) -> str:
        """The time that the batches of all epochs still take; "" in the last epoch."""
        total, epochs = len(trainer.train_loader), trainer.config.train.num_epochs - trainer.epoch
        left = (perf_counter() - self._begun) / done * (epochs * total - done)
        return f"run {progress.duration(left)} left" if epochs > 1 else ""

    def epoch_end(self, trainer: TrainingLoop, record: dict) -> None:
        """Close the bar and log losses, scores and speed of the epoch."""
        self.stop(trainer)
        best = record if trainer.best is None else trainer.best
        get_logger().info(
            "epoch %d: %s, %.1f s (%.0f%% waiting for data), %.0f img/s%s",
            record["epoch"], trainer.task.describe(record, best), record["seconds"],
            100 * record["data_seconds"] / record["seconds"], record["images_per_second"],
            f", loss scale {record['loss_scale']:g}" if "loss_scale" in record else "",
        )  # fmt: skip

    def stop(self, trainer: TrainingLoop) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class Patience(Callback):
    """Stops the run when `epochs` epochs have brought no better score.

    It follows from the history, so a resumed run stops where an uninterrupted one would; all processes see the same.
    Where not every epoch is evaluated, it stops after one that was.
    """

    def __init__(self, epochs: int):
        self._epochs = epochs

    def start(self, trainer: TrainingLoop) -> None:
        """Stop a resumed run whose history has been without a better score for that long."""
        if trainer.best is None or trainer.task.score.key not in trainer.history[-1]:
            return
        if trainer.epoch - 1 - trainer.best["epoch"] >= self._epochs:
            trainer.stop(f"no better {trainer.task.score.name} in {self._epochs} epochs")

    def epoch_end(self, trainer: TrainingLoop, record: dict) -> None:
        """Stop the run where the last epochs had no better score."""
        self.start(trainer)


class MetricsFile(Callback):
    """One JSON object per epoch in file `path`. Rewritten from the history, so a resumed run has no epoch twice."""

    def __init__(self, path: Path):
        self._path = path

    def epoch_end(self, trainer: TrainingLoop, record: dict) -> None:
        """Write the file."""
        write_text(self._path, "".join(json.dumps(entry) + "\n" for entry in trainer.history))


class Best(Callback):
    """A parameter file, `path`, with the weights of the epoch with the best score."""

    def __init__(self, path: Path):
        self._path = path

    def epoch_end(self, trainer: TrainingLoop, record: dict) -> None:
        """Write the file if this epoch is the best so far."""
        if trainer.best is record:
            with trainer.ema_weights():
                save_params(trainer.net, self._path)


class Periodic(Callback):
    """A parameter file every `period` epochs, FOLDER/NAME-EPOCH.params."""

    def __init__(self, folder: Path | str, name: str, period: int):
        self._folder, self._name, self._period = Path(folder), name, period

    def epoch_end(self, trainer: TrainingLoop, record: dict) -> None:
        """Write a file if one is due."""
        if trainer.epoch % self._period == 0:
            with trainer.ema_weights():
                save_params(trainer.net, self._folder / f"{self._name}-{trainer.epoch:04d}.params")


class Checkpoints(Callback):
    """A checkpoint in `store` after every epoch, once the callbacks before it have written what they write."""

    def __init__(self, store: CheckpointStore):
        self._store = store

    def epoch_end(self, trainer: TrainingLoop, record: dict) -> None:
        """Save weights, optimizer and history."""
        meta, files = snapshot(trainer)
        self._store.save(trainer.net, trainer.gluon_trainer, meta, files)


class Curves(Callback):
    """Draws the history anew after every epoch with `draw(history, path)`."""

    def __init__(self, draw: Callable[[list, Path], None], path: Path):
        self._draw, self._path = draw, path

    def epoch_end(self, trainer: TrainingLoop, record: dict) -> None:
        """Draw the history."""
        self._draw(trainer.history, self._path)
