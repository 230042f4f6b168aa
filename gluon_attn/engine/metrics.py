"""What is measured in a pass over the data: MXNet's metrics, fed one batch late, and the time spent on waiting.

Reading a result waits for it. Feeding batch k while batch k+1 computes keeps the device busy.
"""

import math
from time import perf_counter

import mxnet as mx


class Timed:
    """The batches of an iterator; `seconds` is the time that the loop over them has waited for the next one."""

    def __init__(self, batches):
        self._batches = iter(batches)
        self.seconds = 0.0

    def __iter__(self):
        return self

    def __next__(self):
        begin = perf_counter()
        try:
            return next(self._batches)
        finally:
            self.seconds += perf_counter() - begin


class Meter:
    """Loss, accuracy and, from six classes on, top-5 accuracy of the batches it is shown.

    `add(losses, outputs, labels)` takes one list entry a device: losses (n,), logits (n, classes), labels (n,)
    class numbers or (n, classes) weights. `last_loss` is the newest loss that has been read, `batches` and `images`
    count what has been read.
    """

    def __init__(self):
        self._loss = mx.metric.Loss()
        self._accuracy = mx.metric.Accuracy()
        self._top5 = mx.metric.TopKAccuracy(5)
        self._waiting = None
        self.last_loss = 0.0
        self.batches = 0
        self.images = 0

    def add(self, losses, outputs, labels):
        """Show one more batch."""
        self.flush()
        self._waiting = (losses, outputs, labels)

    def flush(self):
        """Read the batch that waits."""
        if self._waiting is None:
            return
        losses, outputs, labels = self._waiting
        self._waiting = None
        labels = [label.argmax(axis=1) if label.ndim == 2 else label for label in labels]
        self._loss.update(None, losses)
        self._accuracy.update(labels, outputs)
        if outputs[0].shape[1] > 5:
            self._top5.update(labels, outputs)
        images = sum(loss.size for loss in losses)
        self.last_loss = sum(float(loss.sum().asscalar()) for loss in losses) / images
        self.batches += 1
        self.images += images

    @property
    def finite(self):
        """Whether the newest loss is a number."""
        return math.isfinite(self.last_loss)

    def result(self, total=list):
        """{"loss": mean, "accuracy": share, "top5": share} over all batches, and over what `total` adds to each sum.

        total: a list of numbers -> their sums over the processes of a run.
        """
        self.flush()
        metrics = {"loss": self._loss, "accuracy": self._accuracy, "top5": self._top5}
        sums = total([float(number) for m in metrics.values() for number in (m.sum_metric, m.num_inst)])
        parts = zip(metrics, sums[::2], sums[1::2], strict=True)
        return {key: value / count if count else math.nan for key, value, count in parts if count or key != "top5"}
