"""The training loss of classifiers: cross entropy with the labels and, with a teacher, with its outputs."""

from collections.abc import Sequence

import mxnet as mx
from mxnet import nd
from mxnet.gluon.loss import SoftmaxCrossEntropyLoss

from ..config.distill import DistillConfig
from ..utils.optional import without_torch

with without_torch():
    from gluoncv.loss import DistillationSoftmaxCrossEntropyLoss


AUXILIARY_WEIGHT = 0.4  # of the loss of an auxiliary head, DARTS's


class ClassificationLoss:
    """Losses of the images of a batch, (n,) float32.

    With a teacher, temperature T and hard weight h, the loss of logits z is h CE(label, z) + (1 - h) T**2
    CE(softmax(teacher / T), z / T), Hinton et al. 2015, https://arxiv.org/abs/1503.02531; T**2 makes the size of the
    gradients independent of T.

    Args:
        auxiliary_weight: weight of the losses of an auxiliary head (default 0.4).
        distill: temperature and hard weight where there is a teacher; None: no teacher.
    """

    def __init__(self, auxiliary_weight: float | None = None, distill: DistillConfig | None = None):
        self._distill = distill
        self._auxiliary_weight = AUXILIARY_WEIGHT if auxiliary_weight is None else auxiliary_weight
        self._criteria = {soft: _criterion(distill, soft) for soft in (False, True)}

    def soft_targets(self, logits: mx.nd.NDArray) -> mx.nd.NDArray:
        """softmax(logits / T) of the teacher's logits (n,classes)."""
        assert self._distill is not None  # only tasks with a teacher ask for them
        return nd.softmax(logits / self._distill.temperature)

    def __call__(
        self, output: mx.nd.NDArray | Sequence[mx.nd.NDArray], label: mx.nd.NDArray, *soft_targets: mx.nd.NDArray
    ) -> mx.nd.NDArray:
        """Losses of a batch.

        Args:
            output: logits (n,classes), or a pair of these and the logits of an auxiliary head.
            label: class indices (n,), or target probabilities (n,classes).
            soft_targets: what `soft_targets` makes of the teacher's logits, where there is a teacher.

        Returns:
            (n,) float32, one loss per image.
        """
        if isinstance(output, tuple | list):
            first, second = (self(part, label, *soft_targets) for part in output)
            return first + self._auxiliary_weight * second
        return self._criteria[label.ndim == 2](output, label, *soft_targets)


def _criterion(distill, soft_labels):
    if distill is None:
        return SoftmaxCrossEntropyLoss(sparse_label=not soft_labels)
    return DistillationSoftmaxCrossEntropyLoss(
        distill.temperature, distill.hard_weight, sparse_label=not soft_labels
    )  # fmt: skip
