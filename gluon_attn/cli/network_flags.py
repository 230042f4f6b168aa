"""The flags that say which network, for commands other than training: the training scripts' own spellings."""

import argparse

from ..config.model import ModelConfig
from ..config.train import RunConfig
from ..runs.implied_options import with_scheme_file
from ..runs.options import Options
from ..utils.errors import UserError
from .values import pair, whole

_NAMES = (
    "attention", "slot", "plan", "scheme", "config_codes", "shared", "act_type", "act_layers", "blocks", "r",
    "use_relu", "use_global",
)  # fmt: skip
_PAIRS = ("attention_options", "model_options")


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add the flags that choose a network and its options."""
    parser.add_argument("--attention", metavar="NAME", help="attention; `gluon-attn attentions` lists them")
    parser.add_argument("--slot", metavar="NAME", help="slot of the attention: post, inner, conv, conv1 ...")
    parser.add_argument(
        "--attention-options", nargs="+", type=pair, default=[], metavar="NAME=VALUE", help="options of the attention"
    )
    parser.add_argument(
        "--model-options", nargs="+", type=pair, default=[], metavar="NAME=VALUE", help="options of the network"
    )
    parser.add_argument("--plan", metavar="FILE", help="JSON file that says which attention goes into which slots")
    parser.add_argument(
        "--scheme", metavar="BITS|FILE", help="which blocks have the attention: a 0 or 1 each, or a search's file"
    )
    parser.add_argument("--config-codes", nargs="+", type=int, metavar="N", help="the scheme as numbers, one per stage")
    parser.add_argument(
        "--shared", action="store_true", default=None, help="one attention serves all blocks of a stage"
    )
    parser.add_argument("--act-type", metavar="NAME", help="activation, or an attentional one such as ChaATAC")
    parser.add_argument("--act-layers", type=int, metavar="N", help="how many stages, from the last, get it")
    parser.add_argument("--blocks", type=whole, metavar="N", help="blocks per stage of the atac network")
    parser.add_argument("--r", type=whole, metavar="N", help="reduction of the attention")
    parser.add_argument("--use-relu", "--useReLU", dest="use_relu", action="store_true", help="ReLU inside ChaATAC")
    parser.add_argument(
        "--use-global", "--useGlobal", dest="use_global", action="store_true", help="global pooling inside ChaATAC"
    )


def network_config(args: argparse.Namespace, model: str) -> ModelConfig:
    """The options of the network that the flags ask for.

    Args:
        args: parsed flags of `add_network`.
        model: name of the model.
    """
    given = {name: getattr(args, name) for name in _NAMES} | {name: dict(getattr(args, name)) for name in _PAIRS}
    given = {name: value for name, value in given.items() if value is not None and value != {}}
    return with_scheme_file(Options(RunConfig, given={"model": {"model": model, **given}})).config().model


def refuse_without_model(args: argparse.Namespace) -> None:
    """Raise a `UserError` where flags of a network are given and no model that they are of."""
    for name in (*_NAMES, *_PAIRS):
        if getattr(args, name) not in (None, False, []):
            raise UserError(f"option {name} is of the network that option model names: give both")
