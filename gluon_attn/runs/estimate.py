"""`--dry-run` of a search: what it would take, from a few of its own steps."""

import itertools
import time

from ..utils.process_memory import peak

_STEPS = 2  # that are measured, behind one that compiles


def estimate(config, backend):
    """Print the time and the memory that a search would take; nothing is written."""
    import mxnet as mx

    from ..engine.evaluate import evaluate
    from ..cli.searches import gradient

    trainer = gradient.make_trainer(config, None, backend)
    begun = time.perf_counter()
    with trainer.operators:
        warm = _measured(trainer, mx, 0) if config.search.arch_warmup else 0.0
        step, compiling = _measured(trainer, mx, config.search.arch_warmup), time.perf_counter() - begun
        begun = time.perf_counter()
        evaluate(trainer.compute, _First(trainer.val_loader), trainer.contexts)
        tested = (time.perf_counter() - begun) * len(trainer.val_loader)
    steps, epochs = len(trainer.train_loader), config.train.num_epochs
    seconds = (
        compiling
        + epochs * tested
        + steps * sum(warm if epoch < config.search.arch_warmup else step for epoch in range(epochs))
    )
    count = sum(param.data().size for param in trainer.net.collect_params().values() if param.grad_req != "null")
    if not backend.rank:
        print(f"{count:,} weights; {epochs} epochs of {steps} steps of {config.data.batch_size} images")
        print(f"{step:.2f} s a step, {_readable(seconds)} in all, {peak() / 2**30:.2f} GB of memory")
    return 0


def _measured(trainer, mx, epoch):
    """Seconds of a step as in that epoch."""
    from ..utils.seed import seed_all

    seed_all(trainer.config.train.seed)
    trainer.epoch = epoch
    ends, batches = [], itertools.cycle(trainer.train_loader.epoch(0))
    with trainer.searching():
        for batch in itertools.islice(batches, 1 + _STEPS):
            trainer.train_step(*batch)
            mx.nd.waitall()
            ends.append(time.perf_counter())
    return (ends[-1] - ends[0]) / _STEPS


class _First:
    """The first batch of a loader."""

    def __init__(self, loader):
        self._loader = loader

    def epoch(self, number):
        return itertools.islice(self._loader.epoch(number), 1)


def _readable(seconds):
    minutes = seconds / 60
    return f"{minutes / 60:.1f} hours" if minutes > 120 else f"{minutes:.1f} minutes"
