"""Options of the network: backbone, attention, initial parameters."""

from dataclasses import dataclass
from typing import Any

from ..utils.errors import UserError
from .base import Config, at_least, connection_bits, option, rate


def _digits(value: str) -> str | None:
    return None if value.isdecimal() and "0" not in value else "must be digits from 1 to 9, one per stage"


def _scheme(value: str) -> str | None:
    complaint = None if value.endswith(".json") else connection_bits(value)
    return complaint and f"{complaint}, or a .json file"


@dataclass(frozen=True)
class ModelConfig(Config):
    """The backbone and its attention. Options left at None keep the default of the network."""

    model: str = option("cifar_resnet20_v1", "network; listed by `gluon-attn models`", flags=("--arch", "-a"))
    arch_path: str | None = option(
        None, "genotype of a search, a file or Genotype(...) as logs print it: the network of its cells, or with "
        "--net-type the ResNet with its attention", metavar="FILE", path=True,
    )  # fmt: skip
    net_type: str | None = option(
        None, "the ResNet that --arch ATTENTION or --arch-path is for: resnet20, 32, 44, 56 or 110 (ANAS)",
        choices=("resnet20", "resnet32", "resnet44", "resnet56", "resnet110"),
    )  # fmt: skip
    init_ch: int | None = option(None, "channels of the first cells of a cell network", check=at_least(1))
    layers: int | None = option(None, "number of cells of a cell network", check=at_least(1))
    auxiliary: bool = option(False, "train a cell network with an auxiliary head")
    model_options: dict[str, Any] = option({}, "options of the network, as name=value", metavar="NAME=VALUE")
    attention: str | None = option(
        None, "attention, in its usual slot; listed by `gluon-attn attentions`", flags=("--att",)
    )
    attention_options: dict[str, Any] = option({}, "options of the attention, as name=value", metavar="NAME=VALUE")
    slot: str | None = option(
        None, "slot of the attention: post, inner, act, conv, conv1 or stage (default: its usual one)"
    )
    attention_start: str = option(
        "usual", "initial weights of the attention that the parameter file has not: usual, or identity: such that the "
        "network computes at first what it computes without it; docs/training.md says which attentions have such a "
        "start", choices=("usual", "identity"),
    )  # fmt: skip
    plan: str | None = option(
        None, "JSON file with the plan: which attention is in which slot", metavar="FILE", path=True
    )
    act_type: str | None = option(
        None, "activation: relu, prelu, elu, selu, gelu, swish, or an attentional one such as ChaATAC"
    )
    use_se: bool = option(False, "the same as --attention se")
    use_sk: bool = option(False, "the same as --attention sk")
    ksize: str | None = option(
        None, "kernel size of ECA in each stage, one digit per stage, such as 3557", check=_digits, metavar="DIGITS"
    )
    scheme: str | None = option(
        None,
        "blocks with the attention: one 0 or 1 per block, or the JSON file of a search",
        check=_scheme,
        metavar="BITS|FILE",
        path=True,
    )
    config_codes: tuple[int, ...] | None = option(
        None, "the scheme as EAN writes it: the bits of each stage as a decimal number", check=at_least(0), several=True
    )
    shared: bool | None = option(None, "one attention module shared by all blocks of a stage (default: dia only)")
    act_layers: int | None = option(
        None, "number of stages, counted from the last, that have --act-type (default: all)", check=at_least(0)
    )
    blocks: int | None = option(None, "blocks per stage of the atac network", check=at_least(1))
    r: int | None = option(
        None, "reduction ratio of the attentional activation, else of the attention", check=at_least(1)
    )
    use_relu: bool | None = option(
        None, "ReLU inside the attentional activation (default: in networks for ImageNet)", flags=("--useReLU",)
    )
    use_global: bool = option(False, "global pooling inside the attentional activation", flags=("--useGlobal",))
    drop_rate: float | None = option(
        None, "dropout: inside the blocks of cifar_resnet*_v1 and _v2, before the classifier elsewhere", check=rate
    )
    drop_path: float | None = option(
        None, "stochastic depth: probability that training drops the branch of the last residual block for an image; "
        "it rises from 0 with the depth", check=rate,
    )  # fmt: skip
    dropblock_prob: float | None = option(
        None, "DropBlock: probability that training drops a value, in squares of 3x3 pixels, in the third and later "
        "stages of a ResNet", check=rate,
    )  # fmt: skip
    last_gamma: bool = option(False, "initialize the scale (gamma) of the last norm in each block to 0")
    norm: str = option("batch", "normalization of the backbone", choices=("batch", "group"))
    use_gn: bool = option(False, "the same as --norm group")
    pretrained: str | None = option(
        None,
        "parameter file to initialize from",
        flags=("--resume-from", "--resume-params", "--model-path"),
        metavar="FILE",
        path=True,
    )
    use_pretrained: bool = option(False, "initialize from the published parameters of the network")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._spell("use_se", "attention", None, "se")
        self._spell("use_sk", "attention", None, "sk")
        self._spell("use_gn", "norm", "batch", "group")
        if self.plan and (self.attention or self.act_type):
            raise UserError(
                "option plan already says which attention is where: leave out option attention and option act_type"
            )
        if self.attention_options and not self.attention:
            raise UserError("option attention_options needs option attention")
        if self.slot and not self.attention:
            raise UserError("option slot needs option attention")
        if self.scheme and self.config_codes:
            raise UserError("option scheme and option config_codes mean the same: give one")
        if self.use_pretrained and self.pretrained:
            raise UserError(
                "option pretrained and option use_pretrained both give the initial parameters: leave one out"
            )

    def _spell(self, flag: str, name: str, default: str | None, meaning: str) -> None:
        """Store an option that stands for a value of another one as that value: one spelling in config.yaml."""
        if not getattr(self, flag):
            return
        if getattr(self, name) not in (default, meaning):
            raise UserError(
                f"option {flag} means option {name} {meaning}: leave out option {name} {getattr(self, name)}"
            )
        object.__setattr__(self, name, meaning)
        object.__setattr__(self, flag, False)
