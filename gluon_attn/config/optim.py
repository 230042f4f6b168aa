"""Options of the optimizer: which one, its schedule, what it leaves alone."""

from dataclasses import dataclass

from ..utils.errors import UserError
from .base import Config, above, at_least, option, rate


def _part(value):
    return None if 0 < value < 1 else "must be above 0 and below 1"


@dataclass(frozen=True)
class OptimConfig(Config):
    """The optimizer and its schedule."""

    optimizer: str = option("nag", "MXNet optimizer: nag, sgd, adam, adamw, rmsprop, lamb, ...")
    lr: float = option(0.1, "learning rate", flags=("--learning-rate",), check=above(0))
    momentum: float | None = option(None, "momentum (default 0.9 where the optimizer has one)", check=rate)
    wd: float = option(1e-4, "weight decay", flags=("--weight-decay",), check=at_least(0))
    no_wd: bool = option(False, "no weight decay on biases and on norms' scale and shift")
    lr_mode: str = option("step", "schedule of the learning rate", choices=("step", "cosine", "poly"))
    lr_decay: float = option(0.1, "factor of each step of the step schedule", check=above(0))
    lr_decay_epoch: tuple[int, ...] = option((100, 150), "epochs of the steps", check=at_least(0))
    lr_decay_period: int = option(
        0, "a step every so many epochs instead of --lr-decay-epoch; 0: off", check=at_least(0)
    )
    target_lr: float = option(
        0.0, "learning rate that cosine and poly end at", flags=("--lr-min", "--learning-rate-min"), check=at_least(0)
    )
    warmup_epochs: int = option(0, "epochs in which the rate climbs in a straight line", check=at_least(0))
    warmup_lr: float = option(0.0, "learning rate that the climb starts at", check=at_least(0))
    clip_grad: float | None = option(
        None, "largest norm of all gradients together", flags=("--grad-clip",), check=above(0)
    )
    lr_scaling: str = option(
        "none", "scale the learning rates by global batch / --lr-batch, or its root", choices=("none", "linear", "sqrt")
    )
    lr_batch: int = option(256, "global batch that --lr is meant for, with --lr-scaling", check=at_least(1))
    accumulate: int = option(1, "batches whose gradients make one update", check=at_least(1))
    ema: float | None = option(None, "test and keep a moving average of the weights, decay such as 0.999", check=rate)
    freeze: str | None = option(
        None, "parameters that stay as they are: a regular expression from the start of their names, or the word "
        "features: all but the classifier", metavar="PATTERN",
    )  # fmt: skip
    layer_decay: float | None = option(
        None, "factor of the learning rate a block, from the classifier back to the stem, such as 0.75", check=_part
    )
    sync_bn: bool = option(False, "several processes: batch norms take their statistics over the images of all")
    num_groups: int = option(
        0, "several processes: gradients go in so many messages; 0: each for itself", check=at_least(0)
    )
    fp16_allreduce: bool = option(False, "several processes: gradients go as float16")

    def __post_init__(self):
        super().__post_init__()
        if self.lr_scaling == "none" and self.lr_batch != 256:
            raise UserError("--lr-batch needs --lr-scaling linear or sqrt")
