"""Learning rates: GluonCV's schedulers, counted from the first update."""

from ..utils.optional import without_torch

with without_torch():
    from gluoncv.utils import LRScheduler, LRSequential
from mxnet.lr_scheduler import LRScheduler as Base


def scaled(config, images):
    """The `OptimConfig` with its learning rates made fit for updates from `images` images, as `lr_scaling` says.

    linear: in proportion to them (Goyal et al. 2017); sqrt: to their root (Krizhevsky 2014).
    """
    if config.lr_scaling == "none":
        return config
    ratio = images / config.lr_batch
    factor = ratio if config.lr_scaling == "linear" else ratio**0.5
    return config.replace(**{name: factor * getattr(config, name) for name in ("lr", "warmup_lr", "target_lr")})


class Schedule(Base):
    """update number -> learning rate, for the `OptimConfig` of a run.

    MXNet numbers updates from 1, GluonCV's schedulers from 0; without the shift every step of the rate would come
    one batch before its epoch.
    """

    def __init__(self, config, epochs, steps):
        super().__init__(base_lr=config.lr)
        self._parts = _sequence(config, epochs, steps)

    def __call__(self, num_update):
        return self._parts(max(0, num_update - 1))


def _sequence(config, epochs, steps):
    warm = min(config.warmup_epochs, epochs)
    parts = []
    if warm:
        parts.append(LRScheduler("linear", base_lr=config.warmup_lr, target_lr=config.lr, niters=max(2, warm * steps)))
    if epochs > warm:
        parts.append(
            LRScheduler(
                config.lr_mode,
                base_lr=config.lr,
                target_lr=config.target_lr,
                niters=max(2, (epochs - warm) * steps),
                step_iter=[(epoch - warm) * steps for epoch in step_epochs(config, epochs)],
                step_factor=config.lr_decay,
                power=2,
            )
        )
    return LRSequential(parts)


def step_epochs(config, epochs):
    """Epochs at which the step schedule lowers the rate."""
    if config.lr_decay_period:
        return list(range(config.lr_decay_period, epochs, config.lr_decay_period))
    return list(config.lr_decay_epoch)
