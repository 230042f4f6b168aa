"""One pass over a test set."""

from mxnet.gluon.loss import SoftmaxCrossEntropyLoss
from mxnet.gluon.utils import split_and_load

from .metrics import Meter


def evaluate(net, loader, contexts, total=list):
    """{"loss", "accuracy", "top5" from six classes on} of a network over `loader.epoch(0)`.

    contexts: the devices that the network is on; each batch is split over them. total: as in `Meter.result`.
    """
    return evaluate_all([net], loader, contexts, total)[0]


def evaluate_all(nets, loader, contexts, total=list):
    """What `evaluate` gives of each network, in one pass: a batch goes through all of them before the next is read."""
    criterion, meters = SoftmaxCrossEntropyLoss(), [Meter() for _ in nets]
    for data, label in loader.epoch(0):
        images = split_and_load(data, contexts, even_split=False)
        labels = split_and_load(label, contexts, even_split=False)
        for net, meter in zip(nets, meters, strict=True):
            outputs = [net(x) for x in images]
            meter.add([criterion(o, y) for o, y in zip(outputs, labels, strict=True)], outputs, labels)
    return [meter.result(total) for meter in meters]
