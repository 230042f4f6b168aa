"""The training loss of classifiers: cross entropy with the labels and, with a teacher, with its outputs."""

from collections.abc import Callable, Sequence
from functools import partial

import mxnet as mx
from mxnet import nd
from mxnet.gluon.loss import SoftmaxCrossEntropyLoss

from ..config.distill import DistillConfig
from ..config.train import TrainConfig
from ..utils.optional import without_torch

with without_torch():
    from gluoncv.loss import DistillationSoftmaxCrossEntropyLoss


AUXILIARY_WEIGHT = 0.4  # of the loss of an auxiliary head, DARTS's


class ClassificationLoss:
    """Losses of the images of a batch, (n,) float32.

    With a teacher, temperature T and hard weight h, the loss of logits z is h CE(label, z) + (1 - h) T**2
    CE(softmax(teacher / T), z / T), Hinton et al. 2015, https://arxiv.org/abs/1503.02531; T**2 makes the size of the
    gradients independent of T. With option bce_loss each class is a yes or no of its own instead: the binary cross
    entropy of sigmoid(z) with its target probability, averaged over the classes or summed, as in timm (Wightman et al.
    2021, https://arxiv.org/abs/2110.00476).

    Args:
        auxiliary_weight: weight of the losses of an auxiliary head (default 0.4).
        distill: temperature and hard weight where there is a teacher; None: no teacher.
        train: options bce_loss, bce_sum and bce_target_threshold; None: cross entropy.
    """

    def __init__(
        self,
        auxiliary_weight: float | None = None,
        distill: DistillConfig | None = None,
        train: TrainConfig | None = None,
    ):
        self._distill = distill
        self._auxiliary_weight = AUXILIARY_WEIGHT if auxiliary_weight is None else auxiliary_weight
        self._criteria = {soft: _criterion(distill, soft, train) for soft in (False, True)}

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


def _criterion(
    distill: DistillConfig | None, soft_labels: bool, train: TrainConfig | None
) -> Callable[..., mx.nd.NDArray]:
    if train is not None and train.bce_loss:
        return partial(_binary, train.bce_sum, train.bce_target_threshold)
    if distill is None:
        return SoftmaxCrossEntropyLoss(sparse_label=not soft_labels)
    return DistillationSoftmaxCrossEntropyLoss(
        distill.temperature, distill.hard_weight, sparse_label=not soft_labels
    )  # fmt: skip


def _binary(total: bool, threshold: float | None, logits: mx.nd.NDArray, label: mx.nd.NDArray) -> mx.nd.NDArray:
    target = label if label.ndim == 2 else nd.one_hot(label, logits.shape[1])
    if threshold is not None:
        target = target > threshold
    losses = nd.relu(logits) - logits * target + nd.Activation(-nd.abs(logits), act_type="softrelu")
    return losses.sum(axis=1) if total else losses.mean(axis=1)
