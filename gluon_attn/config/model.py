"""Options of the network: which backbone, which attention, started from what."""

from dataclasses import dataclass

from ..utils.errors import UserError
from .base import Config, above, at_least, option


def _rate(value):
    return None if 0 <= value < 1 else "must be from 0 to below 1"


@dataclass(frozen=True)
class ModelConfig(Config):
    """A backbone and what is plugged into it. Options left at None keep the network's own default."""

    model: str = option("cifar_resnet20_v1", "network; `gluon-attn models` lists them", flags=("--arch", "-a"))
    attention: str | None = option(None, "attention, put where it belongs; `gluon-attn attentions` lists them")
    attention_options: dict = option({}, "options of the attention, as name=value", metavar="NAME=VALUE")
    plan: str | None = option(None, "JSON file that says which attention sits where", metavar="FILE")
    act_type: str | None = option(
        None, "activation: relu, prelu, elu, selu, gelu, swish, or an attentional one such as ChaATAC"
    )
    act_layers: int | None = option(
        None, "how many stages, from the last, get --act-type (default all)", check=at_least(0)
    )
    blocks: int | None = option(None, "blocks a stage of the atac network", check=at_least(1))
    r: int | None = option(None, "reduction of the attentional activation, else of the attention", check=at_least(1))
    use_relu: bool = option(False, "ReLU inside the attentional activation", flags=("--useReLU",))
    use_global: bool = option(False, "global pooling inside the attentional activation", flags=("--useGlobal",))
    drop_rate: float | None = option(None, "dropout inside the blocks, as in wide ResNets", check=_rate)
    last_gamma: bool = option(False, "start the last norm's scale of each block at 0")
    pretrained: str | None = option(None, "parameter file to start from", flags=("--resume-from",), metavar="FILE")

    def __post_init__(self):
        super().__post_init__()
        if self.plan and (self.attention or self.act_type):
            raise UserError("--plan says it all: drop --attention and --act-type beside it")
        if self.attention_options and not self.attention:
            raise UserError("--attention-options needs an --attention")
        for name in ("use_relu", "use_global", "act_layers"):
            given = getattr(self, name)
            if given is not None and given is not False and not self.act_type:
                raise UserError(f"--{name.replace('_', '-')} needs an --act-type such as ChaATAC")
        if self.r and not (self.attention or self.act_type):
            raise UserError("--r needs an --attention or an --act-type such as ChaATAC")


@dataclass(frozen=True)
class OptimConfig(Config):
    """The optimizer and its schedule."""

    optimizer: str = option("nag", "MXNet optimizer: nag, sgd, adam, adamw, rmsprop, lamb, ...")
    lr: float = option(0.1, "learning rate", check=above(0))
    momentum: float | None = option(None, "momentum (default 0.9 where the optimizer has one)", check=_rate)
    wd: float = option(1e-4, "weight decay", check=at_least(0))
    no_wd: bool = option(False, "no weight decay on biases and on norms' scale and shift")
    lr_mode: str = option("step", "schedule of the learning rate", choices=("step", "cosine", "poly"))
    lr_decay: float = option(0.1, "factor of each step of the step schedule", check=above(0))
    lr_decay_epoch: tuple[int, ...] = option((100, 150), "epochs of the steps", check=at_least(0))
    lr_decay_period: int = option(
        0, "a step every so many epochs instead of --lr-decay-epoch; 0: off", check=at_least(0)
    )
    target_lr: float = option(0.0, "learning rate that cosine and poly end at", check=at_least(0))
    warmup_epochs: int = option(0, "epochs in which the rate climbs in a straight line", check=at_least(0))
    warmup_lr: float = option(0.0, "learning rate that the climb starts at", check=at_least(0))
    clip_grad: float | None = option(None, "largest norm of all gradients together", check=above(0))
