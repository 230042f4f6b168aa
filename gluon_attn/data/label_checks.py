"""Checks of the labels in data records before the first epoch, where a mistake would cost one."""

import numpy as np

from ..utils.errors import UserError
from ..utils.log import get_logger
from .base import Dataset, ImageSet, Subset
from .photos import PhotoSet
from .records import RecordFile

#: most records of a training set that are looked at: half a second from the page cache
_MOST = 200_000


def check_labels(dataset: Dataset, counted: bool) -> None:
    """Look at the labels of records: all test records, and the training records if they are not too many.

    A label that is no class is an error. Warnings say how many classes are assumed where the records do not count
    theirs from 0 or nothing names them, and that all test images are of one class.

    Args:
        dataset: the data set; one without records passes.
        counted: whether an option gives the number of classes.

    Raises:
        UserError: a label is none of the classes.
    """
    val = _labels(dataset.val, dataset.classes)
    train = _labels(dataset.train, dataset.classes, _MOST)
    _say_how_many(dataset, train, counted)
    if val is not None and len(val) == 1 and dataset.classes > 1 and (train is None or len(train) > 1):
        name = dataset.class_names[val[0]]
        get_logger().warning("all test images are of class %s: were they packed without class folders?", name)


def _labels(images: ImageSet, classes: int, most: int | None = None) -> np.ndarray | None:
    """The labels that occur, ascending; None where they are not looked at. Of a subset those of the whole set."""
    while isinstance(images, Subset):
        images = images.images
    if not isinstance(images, PhotoSet) or not isinstance(images.files, RecordFile):
        return None
    if most is not None and len(images) > most:
        return None
    labels = images.labels
    found = np.unique(labels[labels >= 0])
    if len(found) > 1 and found[0] == 1 and found[-1] == classes:
        raise UserError(
            f"labels of {images.files.path} go from 1 to {classes}, but {classes} classes are counted from 0: "
            "pack the images again with gluon-attn data pack"
        )
    if len(found):
        images.check_label(int(np.argmax(labels)), int(found[-1]))
    return found


def _say_how_many(dataset: Dataset, labels: np.ndarray | None, counted: bool) -> None:
    """Say how many classes there are where no list names them; `labels` are those of the training records."""
    if labels is None or not len(labels) or any(name != str(number) for number, name in enumerate(dataset.class_names)):
        return
    low, high = int(labels[0]), int(labels[-1])
    if low == 1 and high > 1:
        get_logger().warning(
            "labels of the training records go from 1 to %d: there are %d classes, and 0 of them has no images; "
            "gluon-attn data pack counts from 0", high, dataset.classes,
        )  # fmt: skip
    elif not counted and high + 1 != dataset.classes:
        get_logger().warning(
            "no list names the classes of the records: %d are assumed, labels go from %d to %d; option classes sets "
            "their number", dataset.classes, low, high,
        )  # fmt: skip
