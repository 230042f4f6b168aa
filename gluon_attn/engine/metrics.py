"""What is measured in a pass over the data, one batch late, and the time spent on waiting for data.

Reading a result waits for its computation. Reading batch k while batch k+1 computes keeps the device busy.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import perf_counter
from typing import Any

import mxnet as mx


class TimedBatches(Iterator):
    """The items of an iterator.

    Args:
        batches: the iterator.

    Attributes:
        seconds: time that the loop over them has waited for the next item so far.
    """

    def __init__(self, batches: Iterable):
        self._batches = iter(batches)
        self.seconds = 0.0

    def __next__(self) -> Any:
        """The next item; the time until it is there is added to `seconds`."""
        begin = perf_counter()
        try:
            return next(self._batches)
        finally:
            self.seconds += perf_counter() - begin


class Meter:
    """Mean loss of the batches that it is shown; subclasses measure more.

    Attributes:
        last_loss: mean loss of the newest batch that has been read.
        batches, images: how many have been read.
    """

    #: metrics that a result leaves out where nothing updated them
    optional: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.metrics: dict[str, mx.metric.EvalMetric] = {"loss": mx.metric.Loss()}
        self._waiting: tuple | None = None
        self.last_loss = 0.0
        self.batches = 0
        self.images = 0

    def add(self, losses: Sequence[mx.nd.NDArray], measured: Sequence[Any]) -> None:
        """Show one more batch.

        Args:
            losses: one array per device, one loss per image.
            measured: what `Task.forward` gives beside the losses, one item per device.
        """
        self.flush()
        self._waiting = (losses, measured)

    def flush(self) -> None:
        """Read the batch that waits."""
        if self._waiting is None:
            return
        (losses, measured), self._waiting = self._waiting, None
        self.metrics["loss"].update(None, losses)
        self.measure(measured)
        images = sum(loss.size for loss in losses)
        self.last_loss = sum(float(loss.sum().asscalar()) for loss in losses) / images
        self.batches += 1
        self.images += images

    def measure(self, measured: Sequence[Any]) -> None:
        """Update further metrics with a batch, `measured` as in `add`; for subclasses."""

    @property
    def finite(self) -> bool:
        """Whether the newest loss that has been read is a number."""
        return math.isfinite(self.last_loss)

    def result(self, total: Callable[[Sequence[float]], Sequence[float]] = list) -> dict[str, float]:
        """Means over all batches, and over the processes of a run.

        Args:
            total: sums a list of numbers over the processes (default: this one alone).

        Returns:
            Name -> mean. A metric that nothing updated is NaN, or left out where it is `optional`.
        """
        self.flush()
        sums = total([float(number) for m in self.metrics.values() for number in (m.sum_metric, m.num_inst)])
        parts = zip(self.metrics, sums[::2], sums[1::2], strict=True)
        return {
            name: value / count if count else math.nan
            for name, value, count in parts
            if count or name not in self.optional
        }


class ClassificationMeter(Meter):
    """Loss, accuracy and, from six classes on, top-5 accuracy (both from 0 to 1).

    It takes (logits (n,classes), labels (n,) class indices or (n,classes) soft labels) for each device.
    """

    optional = frozenset({"top5"})

    def __init__(self) -> None:
        super().__init__()
        self.metrics.update(accuracy=mx.metric.Accuracy(), top5=mx.metric.TopKAccuracy(5))

    def measure(self, measured: Sequence[tuple[mx.nd.NDArray, mx.nd.NDArray]]) -> None:
        """Update the accuracies; the class of a soft label is its most probable one."""
        outputs = [output for output, _ in measured]
        labels = [label.argmax(axis=1) if label.ndim == 2 else label for _, label in measured]
        self.metrics["accuracy"].update(labels, outputs)
        if outputs[0].shape[1] > 5:
            self.metrics["top5"].update(labels, outputs)
