"""Time and memory that a gradient search would need, measured over a few of its own steps."""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass

import mxnet as mx

from ..config.search import AnasConfig, AttDartsConfig
from ..engine.backend import Backend
from ..utils.process_memory import peak
from ..utils.seed import seed_all
from .gradient_search import make_search_trainer

_STEPS = 2  # that are measured, after one that compiles


@dataclass(frozen=True)
class Estimate:
    """Time and memory of a search.

    Attributes:
        weights: number of trained weights.
        epochs, steps: epochs, and steps in each.
        batch_size: images per step.
        step_seconds: of one step.
        seconds: of the whole search.
        memory: bytes, the peak of this process.
    """

    weights: int
    epochs: int
    steps: int
    batch_size: int
    step_seconds: float
    seconds: float
    memory: int


def estimate(config: AttDartsConfig | AnasConfig, backend: Backend) -> Estimate:
    """Measure a few steps of a search; nothing is written.

    Args:
        config: the options of the search.
        backend: the processes of the run.
    """
    trainer = make_search_trainer(config, None, backend)
    warm_up, epochs = config.search.arch_warmup, config.train.num_epochs
    started = time.perf_counter()
    with trainer.operators:
        weights_only = _step_seconds(trainer, 0) if warm_up else 0.0
        step, compiling = _step_seconds(trainer, warm_up), time.perf_counter() - started
        started = time.perf_counter()
        trainer.task.evaluate(trainer.forward, _FirstBatch(trainer.val_loader), trainer.contexts, list)
        evaluation = (time.perf_counter() - started) * len(trainer.val_loader)
    steps = len(trainer.train_loader)
    training = steps * sum(weights_only if epoch < warm_up else step for epoch in range(epochs))
    params = trainer.net.collect_params().values()
    return Estimate(
        weights=sum(param.data().size for param in params if param.grad_req != "null"),
        epochs=epochs,
        steps=steps,
        batch_size=config.data.batch_size,
        step_seconds=step,
        seconds=compiling + epochs * evaluation + training,
        memory=peak(),
    )


def _step_seconds(trainer, epoch):
    """Seconds of a step as in that epoch."""
    seed_all(trainer.config.train.seed)
    trainer.epoch = epoch
    ends, batches = [], itertools.cycle(trainer.train_loader.epoch(0))
    with trainer.task.epoch(trainer):
        for batch in itertools.islice(batches, 1 + _STEPS):
            trainer.train_step(batch)
            mx.nd.waitall()
            ends.append(time.perf_counter())
    return (ends[-1] - ends[0]) / _STEPS


class _FirstBatch:
    """The first batch of a loader."""

    def __init__(self, loader):
        self._loader = loader

    def epoch(self, number: int) -> Iterator[tuple]:
        return itertools.islice(self._loader.epoch(number), 1)
