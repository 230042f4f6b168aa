"""Options of the optimizer, its schedule and the parameters that it updates."""

from dataclasses import dataclass

from ..utils.errors import UserError
from .base import Config, above, at_least, option, rate


def _fraction(value: float) -> str | None:
    return None if 0 < value < 1 else "must be above 0 and below 1"


@dataclass(frozen=True)
class OptimConfig(Config):
    """The optimizer and its schedule."""

    optimizer: str = option("nag", "MXNet optimizer: nag, sgd, adam, adamw, rmsproptf, lamb, lars, ...")
    lr: float = option(0.1, "learning rate", flags=("--learning-rate",), check=above(0))
    momentum: float | None = option(None, "momentum (default 0.9 where the optimizer has one)", check=rate)
    epsilon: float | None = option(
        None, "epsilon of the optimizer, where it has one (rmsproptf: inside the root, default 0.001)",
        check=above(0), flags=("--opt-eps",),
    )  # fmt: skip
    wd: float = option(1e-4, "weight decay", flags=("--weight-decay",), check=at_least(0))
    no_wd: bool = option(False, "no weight decay on biases and on scale and shift of norms")
    lr_mode: str = option("step", "schedule of the learning rate", choices=("step", "cosine", "poly"))
    lr_decay: float = option(0.1, "factor of the learning rate at each step of the step schedule", check=above(0))
    lr_decay_epoch: tuple[int, ...] = option((100, 150), "epochs of the steps of the step schedule", check=at_least(0))
    lr_decay_period: float = option(
        0.0, "a step every N epochs, such as 2.4, instead of --lr-decay-epoch; each at the first whole epoch from "
        "there on; 0: off", check=at_least(0),
    )  # fmt: skip
    target_lr: float = option(
        0.0,
        "final learning rate of the cosine and poly schedules",
        flags=("--lr-min", "--learning-rate-min"),
        check=at_least(0),
    )
    warmup_epochs: int = option(0, "epochs of linear warm-up", check=at_least(0))
    warmup_updates: int | None = option(
        None, "updates of linear warm-up, in place of --warmup-epochs", check=at_least(1)
    )
    warmup_lr: float = option(0.0, "learning rate at the start of the warm-up", check=at_least(0))
    clip_grad: float | None = option(
        None, "clip the global norm of the gradients to this", flags=("--grad-clip",), check=above(0)
    )
    lr_scaling: str = option(
        "none",
        "scale the learning rates by global batch size / --lr-batch, or by its square root",
        choices=("none", "linear", "sqrt"),
    )
    lr_batch: int = option(256, "global batch size that --lr is for, with --lr-scaling", check=at_least(1))
    accumulate: int = option(1, "gradient accumulation: batches per update", check=at_least(1))
    ema: float | None = option(
        None,
        "evaluate and keep an exponential moving average (EMA) of the weights with this decay, such as 0.999",
        check=rate,
    )
    ema_warmup: str = option(
        "short", "how the decay of --ema begins at update n: short n / (n + 9), power 1 - (n + 1) ** (-2/3), as timm's "
        "--model-ema-warmup, or none: it is constant", choices=("short", "power", "none"),
    )  # fmt: skip
    freeze: str | None = option(
        None, "parameters that are not trained: a regular expression for the start of their names, or the word "
        "features: all but the classifier", metavar="PATTERN",
    )  # fmt: skip
    freeze_epochs: int = option(
        0, "first epochs in which the pretrained backbone is frozen: only the classifier, and what starts anew, is "
        "trained; 0: none", check=at_least(0),
    )  # fmt: skip
    layer_decay: float | None = option(
        None,
        "layer-wise learning rate decay: factor per block, from the classifier back to the stem, such as 0.75; parts "
        "that the pretrained file has not keep the whole rate",
        check=_fraction,
    )
    sync_bn: bool = option(
        False, "several processes: batch norms compute their statistics over the images of all processes"
    )
    num_groups: int | None = option(
        None,
        "several processes: all-reduce the gradients in N groups; 0: one by one (default: 2 on a CPU, else 0)",
        check=at_least(0),
    )
    fp16_allreduce: bool = option(False, "several processes: all-reduce the gradients in float16")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.warmup_updates and self.warmup_epochs:
            raise UserError("option warmup_updates and option warmup_epochs are two lengths of one warm-up: give one")
        if self.ema_warmup != "short" and self.ema is None:
            raise UserError("option ema_warmup needs option ema")
        if self.lr_scaling == "none" and self.lr_batch != type(self).lr_batch:
            raise UserError("option lr_batch needs option lr_scaling linear or sqrt")
