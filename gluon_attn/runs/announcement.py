"""The first line of a run: what runs, on which images, where."""

import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

import mxnet as mx
from mxnet.gluon import HybridBlock

from ..data.factory import DataLoaders
from ..engine.callbacks import Callback
from ..engine.task import TrainingLoop
from ..utils import cpu
from ..utils.log import get_logger
from .folder import RunFolder


class Announcement(Callback):
    """Logs the first line of a training or a search by gradients.

    Args:
        what: the network, such as `models.base.network_text` gives it.
        data: the images, such as `data_text` gives them.
        folder: of the run.
        notes: warnings that follow it.
    """

    def __init__(self, what: str, data: str, folder: RunFolder, notes: Sequence[str] = ()) -> None:
        self._what, self._data, self._folder, self._notes = what, data, folder, notes

    def start(self, trainer: TrainingLoop) -> None:
        """Log the line."""
        where = f"{devices_text(trainer.contexts, trainer.backend.size)}, {trainer.dtype}"
        announce(f"{self._what}, {parameters(trainer.net):,} parameters", self._data, where, self._folder)
        for note in self._notes:
            get_logger().warning(note)


def announce(what: str, data: str, where: str, folder: RunFolder) -> None:
    """Log the first line of a run."""
    get_logger().info("%s; %s; %s; run folder %s", what, data, where, folder)


def data_text(name: str, train: int, test: int, classes: int, shape: Sequence[int]) -> str:
    """A data set in words.

    Args:
        name: of the set.
        train: number of training images; 0: they are not used.
        test: number of test images; 0: they are not used.
        classes: number of classes.
        shape: (3, H, W) of the images.
    """
    counts = [f"{count:,} {kind}" for count, kind in ((train, "training"), (test, "test")) if count]
    return f"{name}, {' and '.join(counts)} images of {'x'.join(map(str, shape[1:]))}, {classes:,} classes"


def loaders_text(data: DataLoaders) -> str:
    """The data set of a run in words."""
    text = data_text(data.name, len(data.train.images), len(data.val.images), data.classes, data.input_shape)
    return f"{text}, JPEG files to train on decoded at a part of their size" if data.scaled_decode else text


def unreached(config: Any, data: DataLoaders, devices: int) -> Iterator[str]:
    """Numbers among the options that the images or epochs of a run do not reach; one line each.

    Args:
        config: a `RunConfig` or a config with its groups.
        data: the loaders.
        devices: of this process.
    """
    options, batches, images = config.data, len(data.train), data.train.batch_size
    if images < options.batch_size * devices:
        yield f"option batch_size {options.batch_size} is not reached: the images of an epoch are one batch of {images}"
    if (accumulate := config.optim.accumulate) > batches:
        yield f"option accumulate {accumulate} is not reached in the {batches} batches of an epoch: it has one update"
    if (options.mixup or options.cutmix) and options.mixup_off_epoch >= config.train.num_epochs:
        yield f"option mixup_off_epoch {options.mixup_off_epoch} leaves no epoch with mixup or cutmix"


def parameters(net: HybridBlock) -> int:
    """Number of learnable numbers in a network, frozen or not; tensors whose shape is not known yet do not count."""
    tensors = net.collect_params().values()
    shapes = [param.shape for param in tensors if getattr(param, "_differentiable", True) and param.shape]
    return sum(math.prod(shape) for shape in shapes if min(shape) > 0)


def devices_text(contexts: Sequence[mx.Context], processes: int = 1) -> str:
    """Devices, processes and threads in words."""
    words = ["CPU" if one.device_type == "cpu" else str(one) for one in contexts]
    words += [f"{processes} processes"] if processes > 1 else []
    given = os.environ.get("OMP_NUM_THREADS", "")
    threads = int(given) if given.isdigit() else cpu.threads(cpu.Host())[0]
    return ", ".join([*words, f"{threads} {'thread' if threads == 1 else 'threads'}"])
