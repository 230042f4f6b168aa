"""Throughput of training without data, and of data without training."""

import itertools
import time
from typing import Any

import mxnet as mx

from ..config.detect import DetectRunConfig
from ..config.train import RunConfig
from ..data.factory import build
from ..data.fake import build_fake
from ..engine.backend import Backend, connect
from ..engine.classification import Classification
from ..engine.devices import contexts
from ..engine.trainer import Trainer
from ..utils.errors import UserError
from ..utils.process_memory import peak
from .detection import make_training_loader
from .fake_detection import make_fake_trainer
from .network import make_network

#: so small that no network leaves the numbers that it starts with
_NO_LEARNING: dict[str, Any] = {
    "lr": 1e-12, "target_lr": 0.0, "warmup_epochs": 0, "warmup_updates": None, "lr_scaling": "none", "freeze_epochs": 0,
}  # fmt: skip


def throughput(config: RunConfig | DetectRunConfig) -> tuple[str, Backend]:
    """Measure over `benchmark_batches` batches; no run folder is made.

    Args:
        config: with option benchmark the training step on random numbers in memory is measured, with its peak
            memory; with option data_benchmark the preparation of training images.

    Returns:
        One line with the images per second, and the backend, whose process 0 is to print it.
    """
    backend = connect()
    with backend.peer_failures():
        return (_training(config, backend) if config.train.benchmark else _loading(config, backend)), backend


def _training(config, backend):
    """Epoch 0 of an ordinary trainer warms up, epoch 1 is measured, and there is nothing to evaluate on."""
    train = config.train.replace(num_epochs=2, start_epoch=0, summary=False)
    changes = {"train": train, "optim": config.optim.replace(lr_batch=type(config.optim).lr_batch, **_NO_LEARNING)}
    if not isinstance(config, DetectRunConfig):
        changes["data"] = config.data.replace(progressive_size=None)  # the size that most epochs have
    config = config.replace(**changes)
    devices = contexts(train.gpus, train.num_gpus, backend)
    make = make_fake_trainer if isinstance(config, DetectRunConfig) else _fake_classification
    trainer, shape = make(config, devices, backend, train.benchmark_batches)
    trainer.fit()
    speed, where = trainer.history[-1]["images_per_second"], ", ".join(map(str, devices))
    step = f"{config.data.batch_size * len(devices)} images of {_size(shape)} on {where}"
    return (
        f"{config.model.model}, {step}, {trainer.dtype}{_processes(backend)}: {speed:.1f} img/s, "
        f"peak memory {_memory(devices)}"
    )


def _fake_classification(config, devices, backend, count):
    if config.distill.teacher:
        raise UserError("option benchmark measures a step without its teacher: drop option teacher")
    data = build_fake(config.data, config.train.seed, len(devices), count)
    net, task = make_network(config, data, devices), Classification(config.train.auxiliary_weight, config.train)
    return Trainer(net, task, config, devices, data.train, data.val, (), backend), data.input_shape


def _loading(config, backend):
    """The loader of a run from its start, as many epochs as it takes."""
    loader: Any
    if isinstance(config, DetectRunConfig):
        name = config.data.dataset
        loader, shape = make_training_loader(config, backend)
    else:
        data = build(config.data, config.train.seed, 1, backend.rank, backend.size)
        name, loader, shape = data.name, data.train, data.input_shape
    epochs = itertools.chain.from_iterable(loader.epoch(number) for number in itertools.count())
    start, images = time.perf_counter(), 0
    for batch, _ in itertools.islice(epochs, config.train.benchmark_batches):
        batch.wait_to_read()
        images += len(batch)
    (speed,) = backend.allreduce_sum([images / (time.perf_counter() - start)])
    workers = config.data.num_workers
    return f"{name}, images of {_size(shape)}, {workers} workers{_processes(backend)}: {speed:.1f} img/s"


def _size(shape):
    return "x".join(map(str, shape))


def _processes(backend):
    return f", {backend.size} processes" if backend.size > 1 else ""


def _memory(devices):
    """Of this process and of each of its GPUs; MXNet gives back no GPU memory, so what is taken is the peak."""
    parts = [f"{peak() / 2**30:.2f} GB"]
    for device in devices:
        if device.device_type == "gpu":
            free, total = mx.context.gpu_memory_info(device.device_id)
            parts.append(f"{(total - free) / 2**30:.2f} GB on {device}")
    return ", ".join(parts)
