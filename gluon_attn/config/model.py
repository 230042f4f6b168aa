"""Options of the network: which backbone, which attention, started from what."""

from dataclasses import dataclass

from ..utils.errors import UserError
from .base import Config, at_least, connection_bits, option, rate


def _digits(value):
    return None if value.isdecimal() and "0" not in value else "must be digits from 1 to 9, one a stage"


def _scheme(value):
    complaint = None if value.endswith(".json") else connection_bits(value)
    return complaint and f"{complaint}, or a .json file"


@dataclass(frozen=True)
class ModelConfig(Config):
    """A backbone and what is plugged into it. Options left at None keep the network's own default."""

    model: str = option("cifar_resnet20_v1", "network; `gluon-attn models` lists them", flags=("--arch", "-a"))
    arch_path: str | None = option(
        None, "genotype file of a search: the network that has its cells, or with --net-type its attention",
        metavar="FILE",
    )  # fmt: skip
    net_type: str | None = option(
        None, "the ResNet that --arch ATTENTION or --arch-path is for: resnet20, 32, 44, 56 or 110 (ANAS)",
        choices=("resnet20", "resnet32", "resnet44", "resnet56", "resnet110"),
    )  # fmt: skip
    init_ch: int | None = option(None, "channels of the first cells of a searched network", check=at_least(1))
    layers: int | None = option(None, "cells of a searched network", check=at_least(1))
    auxiliary: bool = option(False, "train a searched network of cells with an auxiliary head")
    model_options: dict = option({}, "options of the network, as name=value", metavar="NAME=VALUE")
    attention: str | None = option(None, "attention, put where it belongs; `gluon-attn attentions` lists them")
    attention_options: dict = option({}, "options of the attention, as name=value", metavar="NAME=VALUE")
    slot: str | None = option(
        None, "kind of place of the attention: post, inner, act, conv, conv1, stage (default: where it belongs)"
    )
    plan: str | None = option(None, "JSON file that says which attention sits where", metavar="FILE")
    act_type: str | None = option(
        None, "activation: relu, prelu, elu, selu, gelu, swish, or an attentional one such as ChaATAC"
    )
    use_se: bool = option(False, "the same as --attention se")
    use_sk: bool = option(False, "the same as --attention sk")
    ksize: str | None = option(
        None, "kernel size of ECA in each stage, a digit each, such as 3557", check=_digits, metavar="DIGITS"
    )
    scheme: str | None = option(
        None,
        "which blocks have the attention: a 0 or 1 for each block, or a file that a search wrote",
        check=_scheme,
        metavar="BITS|FILE",
    )
    config_codes: tuple[int, ...] | None = option(
        None, "the scheme as EAN writes it: each stage's bits as a decimal number", check=at_least(0), several=True
    )
    shared: bool | None = option(None, "whether one attention serves all blocks of a stage (default: dia only)")
    act_layers: int | None = option(
        None, "how many stages, from the last, get --act-type (default all)", check=at_least(0)
    )
    blocks: int | None = option(None, "blocks a stage of the atac network", check=at_least(1))
    r: int | None = option(None, "reduction of the attentional activation, else of the attention", check=at_least(1))
    use_relu: bool | None = option(
        None, "ReLU inside the attentional activation (default: in networks for ImageNet)", flags=("--useReLU",)
    )
    use_global: bool = option(False, "global pooling inside the attentional activation", flags=("--useGlobal",))
    drop_rate: float | None = option(
        None, "dropout: inside the blocks of cifar_resnet*_v1 and _v2, before the classifier elsewhere", check=rate
    )
    last_gamma: bool = option(False, "start the last norm's scale of each block at 0")
    norm: str = option("batch", "normalization of the backbone", choices=("batch", "group"))
    use_gn: bool = option(False, "the same as --norm group")
    pretrained: str | None = option(
        None, "parameter file to start from", flags=("--resume-from", "--resume-params", "--model-path"), metavar="FILE"
    )
    use_pretrained: bool = option(False, "start from the published parameters of the network")

    def __post_init__(self):
        super().__post_init__()
        self._spell("use_se", "attention", None, "se")
        self._spell("use_sk", "attention", None, "sk")
        self._spell("use_gn", "norm", "batch", "group")
        if self.plan and (self.attention or self.act_type):
            raise UserError("--plan says it all: drop --attention and --act-type beside it")
        if self.attention_options and not self.attention:
            raise UserError("--attention-options needs an --attention")
        if self.slot and not self.attention:
            raise UserError("--slot needs an --attention")
        if self.scheme and self.config_codes:
            raise UserError("--scheme and --config-codes say the same: give one")
        if self.use_pretrained and self.pretrained:
            raise UserError("give --pretrained FILE or --use-pretrained, not both")

    def _spell(self, flag, name, default, meaning):
        """A flag that means another option's value is stored as that: one spelling in config.yaml."""
        if not getattr(self, flag):
            return
        if getattr(self, name) not in (default, meaning):
            raise UserError(f"--{flag.replace('_', '-')} means --{name} {meaning}: drop --{name} {getattr(self, name)}")
        object.__setattr__(self, name, meaning)
        object.__setattr__(self, flag, False)
