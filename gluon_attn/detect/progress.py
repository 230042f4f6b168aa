"""The log of a detector's training: the fields that MMDetection's log lines have, and a table of the classes."""

import datetime
import sys
from time import perf_counter

from ..engine.callbacks import Callback, Progress
from ..engine.metrics import Meter
from ..engine.task import TrainingLoop
from ..utils.log import get_logger
from ..utils.process_memory import peak
from .figures import KINDS, class_table

_ORDER = ("loss_rpn_cls", "loss_rpn_bbox", "loss_cls", "acc", "loss_bbox", "loss_mask", "loss")  # MMDetection's


def _place(name: str) -> int:
    return _ORDER.index(name)


class DetectionProgress(Progress):
    """A progress bar on a terminal; everywhere, after every `interval` batches, a line with the means over these.

    lr, eta (the time that is left), time and data_time (seconds per batch, and how much of them was waiting for data),
    memory (peak of the process in MB), each loss, acc (share of rois with the right class), and the sum of the losses.
    Losses are means over the batches since the last line but the newest, which still computes.
    """

    def epoch_start(self, trainer: TrainingLoop) -> None:
        """Start the clock, and the bar on a terminal."""
        super().epoch_start(trainer)
        self._sums: dict[str, tuple[float, float]] = {}
        self._since, self._waited = perf_counter(), 0.0

    def step(self, trainer: TrainingLoop, step: int, meter: Meter) -> None:
        """Advance the bar; log a line where one is due."""
        batches = len(trainer.train_loader)
        if self._bar is not None:
            self._bar.update(1, f"loss {meter.last_loss:.4f}" if meter.batches else "")
            if step + 1 == batches:
                self.stop(trainer)
        if (step + 1) % self._interval:
            return
        if self._bar is not None:
            self._bar.told()
        now, waited = perf_counter(), trainer.waited
        each, waiting = (now - self._since) / self._interval, (waited - self._waited) / self._interval
        self._since, self._waited = now, waited
        left = (trainer.config.train.num_epochs - trainer.epoch) * batches - step - 1
        get_logger().info(
            "epoch %d batch %d/%d: lr %.3e, eta %s, time %.3f, data_time %.3f, memory %d MB, %s",
            trainer.epoch, step + 1, batches, trainer.gluon_trainer.learning_rate,
            datetime.timedelta(seconds=round(left * each)), each, waiting, peak() / 2**20, self._losses(meter),
        )  # fmt: skip

    def _losses(self, meter: Meter) -> str:
        """Means over the batches since the last line, of what has been read."""
        sums = {name: (float(one.sum_metric), float(one.num_inst)) for name, one in meter.metrics.items()}
        words = []
        for name in sorted(sums, key=_place):
            (total, count), (before, number) = sums[name], self._sums.get(name, (0.0, 0.0))
            words.append(f"{name} {(total - before) / max(count - number, 1):.4f}")
        self._sums = sums
        return ", ".join(words)


class ClassTable(Callback):
    """The AP of each class in the best epoch, a table at the end of the log; nothing where an error ended the run."""

    def stop(self, trainer: TrainingLoop) -> None:
        """Log the table."""
        best = trainer.best or {}
        kinds = {kind: best.get(f"val_{kind}_per_class") for kind in KINDS}
        known = {kind: found for kind, found in kinds.items() if found}
        if known and sys.exc_info()[0] is None:
            get_logger().info("classes in epoch %d:\n%s", best["epoch"], class_table(known))
