"""Ways to divide the images of a data set."""

from dataclasses import replace

import numpy as np

from ..utils.errors import UserError
from ..utils.log import get_logger
from ..utils.seed import generator
from .base import Dataset, ImageSet, Subset

_SPLIT = 41  # random stream of `split_off`
_NAMED = 3  # classes that a message names


def hold_out(dataset: Dataset, per_class: int) -> Dataset:
    """Keep some training images out of training and evaluate on them in place of the test images.

    Args:
        dataset: the data set.
        per_class: how many of each class, the first ones in the order of the set.

    Returns:
        The data set with the rest of the training images as `train`, and those held out, cropped as test images are, as
        `val`.

    Raises:
        UserError: a class would be left without training images.
    """
    labels = dataset.train.labels
    held_out = np.zeros(len(labels), bool)
    for label in np.unique(labels[labels >= 0]):
        members = np.flatnonzero(labels == label)
        if len(members) <= per_class:
            raise UserError(
                f"option hold_out {per_class} leaves no training images of class {_name(dataset, label)}, "
                f"which has {len(members)}: take fewer"
            )
        held_out[members[:per_class]] = True
    val = Subset(dataset.train.with_crop_of(dataset.val), np.flatnonzero(held_out))
    return replace(dataset, train=Subset(dataset.train, np.flatnonzero(~held_out)), val=val)


def split_off(dataset: Dataset, share: float, seed: int) -> Dataset:
    """Test on a share of the training images, drawn from each class, in place of the test images.

    Args:
        dataset: the data set.
        share: of each class's images, rounded; at least one image is drawn and one left, of a class that has two. 1
            leaves none to train on.
        seed: decides which ones.

    Returns:
        The data set with the rest of the training images as `train`, and those drawn, cropped as test images are, as
        `val`. Images whose label cannot be read stay in `train`.

    Raises:
        UserError: no class has two images.
    """
    labels = dataset.train.labels
    drawn = np.zeros(len(labels), bool)
    single = []
    for label in np.unique(labels[labels >= 0]):
        members = np.flatnonzero(labels == label)
        count = len(members) if share == 1 else min(max(1, int(share * len(members) + 0.5)), len(members) - 1)
        single += [] if count else [_name(dataset, label)]
        drawn[generator(seed, _SPLIT, int(label)).permutation(members)[:count]] = True
    if not drawn.any():
        raise UserError(f"option val_share {share:g} finds no class with two images: add images")
    if single:
        text = "%s: of each there is one image, which is trained on, so that none is tested"
        get_logger().warning(text, ", ".join(single[:_NAMED] + ["..."] * (len(single) > _NAMED)))
    val = Subset(dataset.train.with_crop_of(dataset.val), np.flatnonzero(drawn))
    return replace(dataset, train=Subset(dataset.train, np.flatnonzero(~drawn)), val=val)


def split_training_images(dataset: Dataset, portion: float) -> tuple[Subset, Subset]:
    """Split the training images in the order of the set, as DARTS does with its `train_portion`.

    Args:
        dataset: the data set.
        portion: share of the first subset, from 0 to 1.

    Returns:
        (first, rest).

    Raises:
        UserError: one of them would be empty.
    """
    count = len(dataset.train)
    first = int(portion * count)
    if not 0 < first < count:
        raise UserError(f"option train_portion {portion} leaves {first} of {count} images to learn from: change it")
    head, rest = np.split(np.arange(count), [first])
    return Subset(dataset.train, head), Subset(dataset.train, rest)


def sample(images: ImageSet, count: int | None, seed: int) -> ImageSet:
    """Draw images without repetition; they stay in the order of the set.

    Args:
        images: the image set.
        count: how many; None or a larger number: all of them.
        seed: decides which ones.
    """
    if count is None or count >= len(images):
        return images
    return Subset(images, np.sort(generator(seed, count).permutation(len(images))[:count]))


def _name(dataset: Dataset, label: int) -> str:
    return dataset.class_names[label] if label < dataset.classes else str(label)
