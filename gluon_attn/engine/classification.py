"""Image classification as a task, with or without a teacher, and the evaluation of classifiers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import mxnet as mx
from mxnet.gluon import HybridBlock
from mxnet.gluon.loss import SoftmaxCrossEntropyLoss
from mxnet.gluon.utils import split_and_load

from ..config.distill import DistillConfig
from ..config.scores import ACCURACY
from ..config.train import TrainConfig
from ..utils.progress import each
from .loss import ClassificationLoss
from .metrics import ClassificationMeter
from .task import Shard, SumOverProcesses, Task, TrainingLoop


class Classification(Task):
    """Cross entropy with the labels, or binary cross entropy; the score is the top-1 accuracy.

    Batches are (images (B,3,H,W) float32, labels (B,) class indices or (B,classes) soft labels).

    Args:
        auxiliary_weight: weight of the loss of an auxiliary head (default 0.4, as in DARTS).
        train: options of the loss, see `ClassificationLoss`.
    """

    score = ACCURACY

    def __init__(self, auxiliary_weight: float | None = None, train: TrainConfig | None = None):
        self.loss = ClassificationLoss(auxiliary_weight, train=train)

    def split(self, batch: tuple, contexts: Sequence[mx.Context]) -> list[Shard]:
        """The (images, labels) of each device."""
        images, labels = (split_and_load(array, contexts, even_split=False) for array in batch)
        return list(zip(images, labels, strict=True))

    def images(self, batch: tuple) -> int:
        """Number of images in a batch."""
        return len(batch[0])

    def forward(self, net: Callable, shard: Shard) -> tuple[mx.nd.NDArray, tuple]:
        """The losses (n,) of a shard, and (logits (n,classes), labels) for the meter."""
        images, labels, *targets = shard
        output = net(images)
        losses = self.loss(output, labels, *targets)
        return losses, (output[0] if isinstance(output, tuple | list) else output, labels)

    def meter(self) -> ClassificationMeter:
        """A new `ClassificationMeter`."""
        return ClassificationMeter()

    def evaluate(self, net: Callable, loader: Any, contexts: Sequence[mx.Context], total: SumOverProcesses) -> dict:
        """Loss and accuracies, see `evaluate`."""
        return evaluate(net, loader, contexts, total)

    def describe(self, record: Mapping[str, Any], best: Mapping[str, Any]) -> str:
        """Losses and accuracies of an epoch, and the best accuracy so far."""
        return (
            f"train loss {record['train_loss']:.4f} accuracy {record['train_accuracy']:.4f}, test loss "
            f"{record['val_loss']:.4f} accuracy {record['val_accuracy']:.4f} (best {self.score.of(best):.4f})"
        )


class Distillation(Classification):
    """Classification with the softened outputs of a trained network as further targets, Hinton et al. 2015.

    Args:
        config: temperature and weight of the labels, see `ClassificationLoss`.
        teacher: the trained network, on the devices of the run. It is compiled as the student is; it is not saved.
        auxiliary_weight: as in `Classification`.
    """

    def __init__(self, config: DistillConfig, teacher: HybridBlock, auxiliary_weight: float | None = None):
        self.loss = ClassificationLoss(auxiliary_weight, config)
        self._teacher, self._forward = teacher, teacher

    def prepare(self, trainer: TrainingLoop) -> None:
        """Compile the teacher as the student is compiled."""
        self._forward = trainer.compiled(self._teacher)

    def split(self, batch: tuple, contexts: Sequence[mx.Context]) -> list[Shard]:
        """The (images, labels, soft targets) of each device; here, outside of recording, the teacher computes."""
        shards = super().split(batch, contexts)
        return [(*shard, self.loss.soft_targets(self._forward(shard[0]))) for shard in shards]


def evaluate(
    net: Callable, loader: Any, contexts: Sequence[mx.Context], total: SumOverProcesses = list
) -> dict[str, float]:
    """Evaluate a classifier over `loader.epoch(0)`.

    Args:
        net: images (B,3,H,W) -> logits (B,classes), on all of `contexts`.
        loader: yields (images, labels).
        contexts: the devices; each batch is split over them.
        total: sums numbers over the processes (default: one process).

    Returns:
        {"loss", "accuracy", and from six classes on "top5"}; accuracies from 0 to 1.
    """
    return evaluate_all([net], _Shown(loader), contexts, total)[0]


class _Shown:
    """A loader whose epochs show how far they are."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def epoch(self, number: int) -> Iterator[tuple]:
        total = len(self._loader) if hasattr(self._loader, "__len__") else None
        return each(self._loader.epoch(number), "evaluation", total, "batch")


def evaluate_all(
    nets: Sequence[Callable], loader: Any, contexts: Sequence[mx.Context], total: SumOverProcesses = list
) -> list[dict[str, float]]:
    """Evaluate several classifiers in one pass: each batch goes through all of them before the next is read.

    Args:
        nets: each images (B,3,H,W) -> logits (B,classes), on all of `contexts`.
        loader: as in `evaluate`, like `contexts` and `total`.
        contexts: the devices.
        total: sums numbers over the processes.

    Returns:
        The scores of each network, as of `evaluate`.
    """
    criterion, meters = SoftmaxCrossEntropyLoss(), [ClassificationMeter() for _ in nets]
    for data, label in loader.epoch(0):
        images = split_and_load(data, contexts, even_split=False)
        labels = split_and_load(label, contexts, even_split=False)
        for net, meter in zip(nets, meters, strict=True):
            outputs = [net(x) for x in images]
            losses = [criterion(o, y) for o, y in zip(outputs, labels, strict=True)]
            meter.add(losses, list(zip(outputs, labels, strict=True)))
    return [meter.result(total) for meter in meters]
