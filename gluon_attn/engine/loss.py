"""What training makes small: the cross entropy with the labels and, where there is a teacher, with its outputs."""

from mxnet import nd
from mxnet.gluon.loss import SoftmaxCrossEntropyLoss

from ..utils.optional import without_torch

with without_torch():
    from gluoncv.loss import DistillationSoftmaxCrossEntropyLoss


AUXILIARY = 0.4  # weight of an auxiliary head, DARTS's


class Loss:
    """Losses of the images of a batch, (n,) float32.

    teacher: float32 images -> float32 logits, or None. distill: a `DistillConfig`. With a teacher, T the temperature
    and h the hard weight, the loss of logits z is h CE(label, z) + (1 - h) T**2 CE(softmax(teacher / T), z / T), as
    Hinton et al. 2015, https://arxiv.org/abs/1503.02531, have it; T**2 makes the gradients independent of T.
    auxiliary: weight of an auxiliary head's losses (default 0.4).
    """

    def __init__(self, distill, teacher=None, auxiliary=None):
        self._teacher, self._temperature = teacher, distill.temperature
        self._auxiliary = AUXILIARY if auxiliary is None else auxiliary
        self._criteria = {soft: _criterion(distill, teacher, soft) for soft in (False, True)}

    def targets(self, images):
        """What `__call__` wants beside the labels for one device's images: a tuple; call it while nothing records."""
        return (nd.softmax(self._teacher(images) / self._temperature),) if self._teacher else ()

    def __call__(self, output, label, *targets):
        """Losses of logits (n, classes), or of a pair of these and an auxiliary head's.

        label: class numbers (n,), or weights of the classes (n, classes).
        """
        if isinstance(output, tuple | list):
            first, second = (self(part, label, *targets) for part in output)
            return first + self._auxiliary * second
        return self._criteria[label.ndim == 2](output, label, *targets)


def _criterion(distill, teacher, soft):
    if teacher is None:
        return SoftmaxCrossEntropyLoss(sparse_label=not soft)
    return DistillationSoftmaxCrossEntropyLoss(distill.temperature, distill.hard_weight, sparse_label=not soft)
