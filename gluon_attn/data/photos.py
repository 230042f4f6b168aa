"""Photographs of any size: decoded when they are taken, and cut to the size of the network's input at once.

OpenCV decodes and scales outside Python's lock, so the loader's threads work side by side.
"""

import functools
import math

import cv2
import numpy as np

from ..utils.errors import UserError
from .base import Source

#: ImageNet's mean and standard deviation per channel, as every published network takes them
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZE = 224
_TRIES = 10


class BadImage(Exception):
    """An image that cannot be read; the message is the reason."""


def source(name, train, val, class_names, cfg):
    """The `Source` of photographs in `train` and `val`, which are `files` of `PhotoSet`."""
    size, classes = cfg.input_size or SIZE, len(class_names)
    return Source(
        name=name,
        train=PhotoSet(train, classes, size, random_resized_crop),
        val=PhotoSet(val, classes, size, functools.partial(centre_crop, ratio=cfg.crop_ratio)),
        class_names=class_names,
        mean=MEAN,
        std=STD,
        flip=True,
        photographs=True,
    )


class PhotoSet:
    """Images that stay in their files.

    files: has `len()`, `read(number)` -> (bytes of an image file, label) and `label(number)`, which may raise
    `BadImage` or `OSError`, and `name(number)` for messages. fit: function (image (H, W, 3) uint8, size, rng) -> (size,
    size, 3). Labels from `classes` on are a `UserError`.
    """

    def __init__(self, files, classes, size, fit):
        self._files, self._classes, self._fit = files, classes, fit
        self.size = (size, size)

    def __len__(self):
        return len(self._files)

    def class_numbers(self):
        """See `base`."""
        return np.array([self._label(number) for number in range(len(self))], np.int32)

    def _label(self, number):
        try:
            return self._files.label(number)
        except (BadImage, OSError):
            return -1

    def fitted_as(self, other):
        """The same files, cut as those of `other`."""
        return PhotoSet(self._files, self._classes, self.size[0], other._fit)

    def take(self, indices, rng, size=None):
        """See `base`; everything random is drawn from `rng`, image after image."""
        images, labels, complaints = [], [], []
        for number in indices:
            try:
                data, label = self._files.read(number)
                image = decode(data)
            except (BadImage, OSError) as error:
                complaints.append(f"{self._files.name(number)}: {error}")
                continue
            if label >= self._classes:
                name = self._files.name(number)
                raise UserError(f"{name} has label {label}, but there are {self._classes} classes: set --classes")
            images.append(self._fit(image, (size or self.size)[0], rng))
            labels.append(label)
        stacked = np.stack(images) if images else np.zeros((0, *(size or self.size), 3), np.uint8)
        return stacked, np.array(labels, np.int32), complaints


def decode(data):
    """An image file's bytes as (H, W, 3) uint8 RGB, turned as its EXIF entry says; `BadImage` if it is not whole."""
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # no data, or a size that no memory holds
        image = None
    if image is None:
        raise BadImage("not a whole JPEG or PNG file")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def random_resized_crop(image, size, rng, area=(0.08, 1.0), ratio=(3 / 4, 4 / 3)):
    """A random part of `image`, scaled to size x size (Szegedy et al. 2014, https://arxiv.org/abs/1409.4842).

    Its share of the area is uniform in `area`, the logarithm of width / height uniform in `ratio`, as in Gluon's
    RandomResizedCrop. After ten tries that do not fit, the largest part in the middle with a ratio in `ratio`.
    """
    height, width = image.shape[:2]
    for _ in range(_TRIES):
        share, shape = rng.uniform(*area), math.exp(rng.uniform(*map(math.log, ratio)))
        w, h = (round(math.sqrt(height * width * share * r)) for r in (shape, 1 / shape))
        if 0 < w <= width and 0 < h <= height:
            left, top = rng.integers(0, width - w + 1), rng.integers(0, height - h + 1)
            return _scaled(image[top : top + h, left : left + w], size, size)
    w, h = min(width, round(height * ratio[1])), min(height, round(width / ratio[0]))
    return _scaled(_middle(image, h, w), size, size)


def centre_crop(image, size, rng=None, ratio=0.875):
    """The shorter side scaled to size / ratio, rounded up, then size x size cut from the middle; `rng` is not used."""
    height, width = image.shape[:2]
    shorter = math.ceil(size / ratio)
    scale = shorter / min(height, width)
    height, width = (max(shorter, round(side * scale)) for side in (height, width))
    return _middle(_scaled(image, height, width), size, size)


def _scaled(image, height, width):
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)  # as Gluon's transforms


def _middle(image, height, width):
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]
