"""Training images that are kept apart and tested on in place of the test images."""

from dataclasses import replace

import numpy as np

from ..utils.errors import UserError
from .base import Part


def hold_out(source, count):
    """A `Source` whose test images are the first `count` of each class of its training images, which lose them.

    A class that would be left without training images is a `UserError`.
    """
    labels = source.train.class_numbers()
    kept = np.zeros(len(labels), bool)
    for label in np.unique(labels[labels >= 0]):
        members = np.flatnonzero(labels == label)
        if len(members) <= count:
            name = source.class_names[label] if label < source.classes else label
            raise UserError(
                f"--hold-out {count} leaves no training images of class {name}, which has {len(members)}: take fewer"
            )
        kept[members[:count]] = True
    tested = Part(source.train.fitted_as(source.val), np.flatnonzero(kept))
    return replace(source, train=Part(source.train, np.flatnonzero(~kept)), val=tested)
