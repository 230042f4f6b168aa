"""A detector's trainer on images of noise with random objects: to measure a step without a data set."""

from typing import Any

import mxnet as mx
import numpy as np

from ..config.detect import DetectRunConfig
from ..data.canvas import Placement, choose
from ..data.fake import FakeLoader
from ..data.objects import Objects
from ..data.scenes import CLASSES
from ..detect.task import Detection, make_example
from ..engine.backend import Backend
from ..engine.trainer import Trainer
from ..utils.seed import generator
from .detection import inference_options, learning_options
from .detection_data import open_sets
from .detection_network import make_detector

_OBJECTS = 8  # of an image, about as many as COCO's have
_COCO = 80  # classes
_SIZES = {"digit-scenes": (224, 256)}  # (height, width) of an image; else:
_PHOTOGRAPH = (480, 640)
_STREAM = 13  # of random numbers


def make_fake_trainer(
    config: DetectRunConfig, devices: list[mx.Context], backend: Backend, count: int
) -> tuple[Trainer, tuple[int, int, int]]:
    """A trainer that repeats one batch and does not evaluate, and the shape of its images.

    Only of the data set "json" something is opened: its files say how many classes there are.

    Args:
        config: the options.
        devices: the devices of this process.
        backend: the processes of the run.
        count: batches per epoch.
    """
    size, (shorter, longer) = _SIZES.get(config.data.dataset, _PHOTOGRAPH), config.data.sizes
    canvases = choose(np.array([size]), shorter, longer, config.data.square)
    placement = Placement(canvases, shorter[-1:], longer, (0.0,) * 3, (1.0,) * 3, flip=False)
    classes = {"digit-scenes": len(CLASSES), "coco": _COCO}.get(config.data.dataset)
    classes = classes or len(open_sets(config)[0].class_names)
    net, learning = make_detector(config, classes, placement, devices), learning_options(config)
    make, rng, samples = make_example(net.anchors, learning), generator(config.train.seed, _STREAM), []
    for number in range(config.data.batch_size * len(devices)):
        pixels = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
        sample = placement.place(pixels, _objects(rng, size, classes), index=number)
        samples.append((sample, make(sample, (config.train.seed, 0, number))))
    images = mx.nd.array(np.stack([sample.image for sample, _ in samples]), ctx=mx.cpu())
    loader: Any = FakeLoader((images, samples), count)
    never = config.train.num_epochs + 1
    task = Detection(net, {}, (), learning, inference_options(config), never, never)
    return Trainer(net, task, config, devices, loader, loader, (), backend), (3, *canvases.landscape)


def _objects(rng: np.random.Generator, size: tuple[int, int], classes: int) -> Objects:
    """Rectangles from a sixteenth of the image to all of it."""
    limit = np.array([size[1], size[0]], np.float32)
    extent = limit * rng.uniform(1 / 16, 1, (_OBJECTS, 2))
    low = (limit - extent) * rng.uniform(0, 1, (_OBJECTS, 2))
    boxes = np.concatenate([low, low + extent], axis=1).astype(np.float32)
    polygons = tuple(
        [np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)] for x1, y1, x2, y2 in boxes.tolist()
    )
    labels, crowd = rng.integers(0, classes, _OBJECTS).astype(np.int32), np.zeros(_OBJECTS, bool)
    area = np.prod(extent, axis=1).astype(np.float32)
    return Objects(boxes, labels, crowd, polygons, area, np.arange(1, _OBJECTS + 1), size)
