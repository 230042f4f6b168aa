"""Learning-rate schedules: GluonCV's schedulers, counted from the first update."""

import math

from ..config.optim import OptimConfig
from ..utils.optional import without_torch

with without_torch():
    from gluoncv.utils import LRScheduler, LRSequential
from mxnet.lr_scheduler import LRScheduler as Base


def scaled(config: OptimConfig, images: int) -> OptimConfig:
    """The options with their learning rates scaled to the global batch, as option lr_scaling says.

    "linear" scales in proportion (Goyal et al. 2017, https://arxiv.org/abs/1706.02677), "sqrt" by the square root
    (Krizhevsky 2014, https://arxiv.org/abs/1404.5997).

    Args:
        config: the options.
        images: per update, over all devices, processes and accumulated batches.
    """
    if config.lr_scaling == "none":
        return config
    ratio = images / config.lr_batch
    factor = ratio if config.lr_scaling == "linear" else ratio**0.5
    return config.replace(**{name: factor * getattr(config, name) for name in ("lr", "warmup_lr", "target_lr")})


def schedule_warnings(config: OptimConfig, epochs: int, updates: int) -> list[str]:
    """What of a schedule lies outside the epochs of a run, so that it has no effect; one line each.

    Args:
        config: the options.
        epochs: length of the run.
        updates: of an epoch.
    """
    found = []
    if (config.warmup_updates or 0) >= epochs * updates:
        found.append(f"option warmup_updates {config.warmup_updates} takes the whole run of {epochs * updates} updates")
    if config.warmup_epochs >= epochs:
        found.append(f"option warmup_epochs {config.warmup_epochs} takes the whole run (num_epochs {epochs})")
    if config.lr_mode != "step":
        if config.target_lr > config.lr:
            found.append(
                f"option target_lr {config.target_lr:g} is above option lr {config.lr:g}: the rate rises to it"
            )
        return found
    steps = step_epochs(config, epochs)
    late = [epoch for epoch in steps if epoch >= epochs]
    if config.lr_decay_period >= epochs:
        late = [math.ceil(config.lr_decay_period)]
    if late:
        name = "lr_decay_period" if config.lr_decay_period else "lr_decay_epoch"
        where = f"option {name} ({', '.join(map(str, late))}) is after the end of the run (num_epochs {epochs})"
        effect = "falls less often" if len(late) < len(steps) else "stays as it is"
        found.append(f"{where}: the learning rate {effect}; option lr_mode cosine lowers it over the whole run")
    return found


class Schedule(Base):
    """Number of an update -> learning rate.

    MXNet numbers updates from 1, GluonCV's schedulers from 0; without the shift every step of the rate would come
    one batch before its epoch.

    Args:
        config: the options.
        epochs: length of the run.
        steps: updates per epoch.
    """

    def __init__(self, config: OptimConfig, epochs: int, steps: int):
        super().__init__(base_lr=config.lr)
        self._parts = _sequence(config, epochs, steps)

    def __call__(self, num_update: int) -> float:
        return self._parts(max(0, num_update - 1))


def _sequence(config, epochs, steps):
    total = epochs * steps
    warm = min(config.warmup_updates or config.warmup_epochs * steps, total)
    parts = []
    if warm:
        parts.append(LRScheduler("linear", base_lr=config.warmup_lr, target_lr=config.lr, niters=max(2, warm)))
    if total > warm:
        parts.append(
            LRScheduler(
                config.lr_mode,
                base_lr=config.lr,
                target_lr=config.target_lr,
                niters=max(2, total - warm),
                step_iter=[epoch * steps - warm for epoch in step_epochs(config, epochs)],
                step_factor=config.lr_decay,
                power=2,
            )
        )
    return LRSequential(parts)


def step_epochs(config: OptimConfig, epochs: int) -> list[int]:
    """Epochs at which the step schedule lowers the learning rate.

    Args:
        config: the options; lr_decay_period wins over lr_decay_epoch. A step in the middle of an epoch comes at the
            next one's start, as in timm.
        epochs: length of the run.
    """
    if config.lr_decay_period:
        count = math.ceil(epochs / config.lr_decay_period) - 1
        return [math.ceil(round(i * config.lr_decay_period, 6)) for i in range(1, count + 1)]
    return list(config.lr_decay_epoch)
