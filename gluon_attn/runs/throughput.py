"""`--benchmark` and `--data-benchmark` of the training scripts: the step without images, the images without step."""

import itertools
import time

from ..utils.errors import UserError
from ..utils.process_memory import peak

#: so small that no network leaves the numbers that it starts with
_STILL = {"lr": 1e-12, "target_lr": 0.0, "warmup_epochs": 0}


def measure(config):
    """Print images a second as a `RunConfig` asks for, over `benchmark_batches` batches; no run folder is made."""
    from ..engine.backend import connect

    backend = connect()
    with backend.watched():
        line = _step(config, backend) if config.train.benchmark else _images(config, backend)
    if not backend.rank:
        print(line)


def _step(config, backend):
    """Epoch 0 of a usual trainer warms up, epoch 1 is measured, and there is nothing to test on."""
    from ..data.fake import build_fake
    from ..engine.devices import contexts
    from ..engine.trainer import Trainer
    from .network import make_network

    if config.distill.teacher:
        raise UserError("--benchmark measures a step without its teacher: drop --teacher")
    train = config.train.replace(num_epochs=2, start_epoch=0, summary=False)
    last = config.data.replace(progressive_size=None)  # the size that most epochs have
    config = config.replace(train=train, data=last, optim=config.optim.replace(**_STILL))
    devices = contexts(train.gpus, train.num_gpus, backend)
    data = build_fake(config.data, train.seed, len(devices), train.benchmark_batches)
    trainer = Trainer(make_network(config, data, devices), config, devices, data.train, data.val, (), backend)
    trainer.fit()
    speed, where = trainer.history[-1]["images_per_second"], ", ".join(map(str, devices))
    step = f"{config.data.batch_size * len(devices)} images of {_size(data)} on {where}"
    return (
        f"{config.model.model}, {step}, {trainer.dtype}{_processes(backend)}: {speed:.1f} img/s, "
        f"peak memory {_memory(devices)}"
    )


def _images(config, backend):
    """The loader of a run, from its start; as many epochs as it takes."""
    from ..data.factory import build

    data = build(config.data, config.train.seed, 1, backend.rank, backend.size)
    epochs = itertools.chain.from_iterable(data.train.epoch(number) for number in itertools.count())
    start, images = time.perf_counter(), 0
    for batch, _ in itertools.islice(epochs, config.train.benchmark_batches):
        batch.wait_to_read()
        images += len(batch)
    (speed,) = backend.total([images / (time.perf_counter() - start)])
    workers = config.data.num_workers
    return f"{data.name}, images of {_size(data)}, {workers} workers{_processes(backend)}: {speed:.1f} img/s"


def _size(data):
    return "x".join(map(str, data.input_shape))


def _processes(backend):
    return f", {backend.size} processes" if backend.size > 1 else ""


def _memory(devices):
    """Of this process and of each of its GPUs; MXNet gives back no memory of a GPU, so what is taken is the peak."""
    import mxnet as mx

    parts = [f"{peak() / 2**30:.2f} GB"]
    for device in devices:
        if device.device_type == "gpu":
            free, total = mx.context.gpu_memory_info(device.device_id)
            parts.append(f"{(total - free) / 2**30:.2f} GB on {device}")
    return ", ".join(parts)
