"""The `gluon-attn` command. Its subcommands are imported when they are called, so `--help` needs no MXNet."""

import importlib
from collections.abc import Sequence

from .guard import guarded
from .parser import Parser, choose
from .starts import STARTS

#: subcommand -> what it does. The module of that name holds add_arguments(parser) and run(args) -> exit code, or
#: main(argv) -> exit code where it parses by itself
COMMANDS = {
    "doctor": "show what runs here: versions, processor, threads, GPUs, and what is missing",
    "train": "train a network on any data set",
    "search": "search for cells, attention modules and connections",
    "evaluate": "measure the accuracy of a run, an exported file or a parameter file (the same as eval)",
    "attentions": "list the attention modules and their options",
    "models": "list the models",
    "cost": "count the parameters and MACs of a model, part by part",
    "eval": "measure the accuracy of a run, an exported file or a parameter file",
    "predict": "classify images",
    "inspect": "show what the attention of a network does: gates, Grad-CAM, statistics by class",
    "export": "write a trained network for MXNet, ONNX Runtime or OpenVINO, and check it",
    "convert": "turn weights of other repositories into ours, and ours into timm's and torchvision's",
    "bench": "measure how fast exported networks are",
    "check": "check an attention or a model of your own as those of the package are checked",
    "compare": "train with several attentions and seeds, and tell which differences are real",
    "sweep": "search for good options: run a sweep file of Weights & Biases",
    "draw": "draw the cells of a published or a derived genotype",
    "report": "draw the curves of several runs on one HTML page",
    "data": "pack class folders of photographs into record files",
    "demo": "train four small networks on real digits, compare, export and check them",
}
#: subcommand -> module, where the names differ
_MODULES = {"evaluate": "eval"}


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `gluon-attn` and `python -m gluon_attn`; returns the exit code."""
    return guarded(dispatch, argv)


def dispatch(argv: Sequence[str]) -> int:
    """Run the subcommand that `argv` names first; returns the exit code."""
    name = choose(argv, COMMANDS, "gluon-attn", "Attention networks for MXNet Gluon.")
    if name is None:
        return 0
    command = importlib.import_module(f"{__package__}.{_MODULES.get(name, name)}")
    if hasattr(command, "main"):
        return command.main(argv[1:])
    description = f"{COMMANDS[name][0].upper()}{COMMANDS[name][1:]}."
    parser = Parser(prog=f"gluon-attn {name}", description=description, start=STARTS[name])
    command.add_arguments(parser)
    return command.run(parser.parse_args(argv[1:]))
