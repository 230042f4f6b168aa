"""Command lines drawn at random from the parsers that the commands have: a small line that works, and flags to it.

What a flag may get follows from its action (choices, number of values, placeholder): values that fit, borderline ones
and odd ones. The words of a line depend on its command and number alone.
"""

import argparse
import dataclasses
import random
from collections.abc import Callable, Mapping

from gluon_attn.cli import (
    attentions,
    bench,
    check,
    convert,
    cost,
    data,
    demo,
    doctor,
    draw,
    export,
    inspect,
    models,
    predict,
    report,
)
from gluon_attn.cli import eval as evaluation
from gluon_attn.cli.compare import compare_parser
from gluon_attn.cli.parser import PATHS, Parser
from gluon_attn.cli.search import search_parser
from gluon_attn.cli.sweep import sweep_parser
from gluon_attn.cli.train import script_parser

#: flags that need an account elsewhere, give the help, or take minutes
LEFT_OUT = {"--wandb", "--project", "--help", "--cost"}
ODD = (
    "", " ", "0", "-1", "-0.5", "1.5", "99999999999999999999", "2147483647", "nan", "inf", "-inf", "1e308", "1e-320",
    "none", "true", "1,2", ",", "1,,2", "-1,3", "a,b", "x=1", "=", "x=", "--", "-", "*", "[", "\\", "%s", "{}", "ü",
    "日本", "caf\udce9", "a" * 300, "a b", "\t", "se", "../..", "'", "auto",
)  # fmt: skip
#: what lies in the folder of the test, and paths to nothing
FILES = (
    "run", "search", "ean", "supernet", "failed", "seeds", "several", "empty", "run/best.params", "text.txt",
    "empty.txt", "plan.json", "scheme.json", "genotype.json", "recipe.yaml", "image.png", "photos", "missing", "new",
    "missing/deep/x", "text.txt/x", "~/x", "~nobody/x", ".", "..", "/proc/x", "", "new.png", "new.params",
    "new.json", "run/card.json", "a" * 300, "ü.params", "caf\udce9.params", "weights.pth", "link", "loop", "new/",
)  # fmt: skip
NUMBERS = ("1", "2", "3", "4", "8", "16", "0", "7")
SHARES = ("0.5", "0.1", "1", "0", "0.9", "2", "1e-3", "0.875")
#: placeholder -> values that fit
NAMES = {
    "--model": ("cifar_resnet20_v1", "atac", "cifar_resnet20_v2", "resnet18_v1b", "mobilenet_v2", "resnt"),
    "--attention": ("se", "eca", "sk", "dia", "cbam", "identity", "SE", "see"),
    "--dataset": ("synthetic", "digits", "cifar10", "imagenet_folder", "imagenet_rec", "nothing"),
    "--optimizer": ("sgd", "nag", "adam", "lamb", "adamw", "sgdd"),
    "--slot": ("post", "stage", "conv", "act", "inner", "x"),
    "--act-type": ("relu", "prelu", "ChaATAC", "swish", "x"),
    "--source": ("timm", "torchvision", "ecanet", "gluoncv", "echo", "x"),
    "--teacher": ("run", "search", "empty", "cifar_resnet20_v1", "x"),
    "--supernet": ("supernet", "run", "search", "ean", "failed", "x"),
    "--scheme": ("101010101", "1", "012", "scheme.json"),
    "--rand-augment": ("2,9", "1,0", "0,1", "2"),
    "--aa": ("rand-m9-mstd0.5", "original", "rand-n1-inc1", "rand-x"),
    "--progressive-size": ("8", "8,12", "12,8"),
    "--lr-decay-epoch": ("1", "1,2", "0"),
    "--ksize": ("357", "3", "0"),
    "--freeze": ("features", "features.[0-2]", "(", "x"),
    "--attentions": ("se", "se,bam", "x"),
    "--operations": ("none,skip_connect", "skip_connect,dil_conv_3x3", "none", "x"),
    "--seeds": ("1", "1,2", "1,1"),
    "--vary": ("optim.lr=0.01", "lr=0.01,0.02", "lr=x", "foo=1", "model.attention=se"),
    "--storage": ("sqlite:///new.db", "sqlite:///text.txt", "postgresql://u:secret@127.0.0.1:1/x", "x"),
    "--max-failures": ("0", "1", "-1"),
    "file": ("sweep.yaml", "recipe.yaml", "text.txt", "missing"),
    "--gpus": ("0", "0,1"),
    "--run-dir": ("new", "run", "search", "failed", "new/deep", "text.txt", "seeds", "~/x"),
    "--resume": ("auto", "yes"),
    "model": ("cifar_resnet20_v1", "atac", "resnet18_v1b", "mobilenet_v2", "x"),
    "target": ("run", "search", "ean", "seeds", "failed", "empty", "run/best.params", "text.txt", "x"),
}


#: of train_coco.py
_OF_DETECTORS = {
    **NAMES,
    "--model": (
        "mask_rcnn_fpn_resnet18_v1b", "faster_rcnn_fpn_eca_resnet18", "mask_rcnn_fpn_resnet18_v2", "resnet18_v1b", "x",
    ),
    "--attention": ("se", "eca", "cbam", "aa", "SE", "see"),
    "--dataset": ("digit-scenes", "coco", "json", "nothing"),
    "--freeze": (r"body.backbone.layer[12]", "features", "(", "x"),
    "--run-dir": ("new", "detector", "run", "failed", "new/deep", "text.txt", "~/x"),
    "--resume": ("auto", "yes", "epoch_1", "detector", "detector/checkpoints/epoch-0001", "weights.pth", "missing"),
    "--min-size": ("40", "40,48", "48,40", "32,64", "8"),
    "--max-size": ("64", "96", "48", "8"),
    "--train-json": ("scenes/annotations/instances_train2017.json", "text.txt", "missing"),
    "--pretrained": ("run/best.params", "detector/best.params", "weights.pth", "missing"),
    "--frozen-stages": ("0", "1", "4", "5"),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Command:
    """A command: its words, its parser, the flags of a line that works, and how many lines are drawn of it.

    Values of flags with names of things are drawn from `names`.
    """

    words: tuple[str, ...]
    parser: Callable[[], Parser]
    small: str
    lines: int
    names: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=lambda: NAMES)


_DATA = "--dataset synthetic --train-images 16 --val-images 4 --classes 2 --input-size 8 -b 4 -j 0"
_NETWORK = f"{_DATA} --model cifar_resnet20_v1 --num-epochs 1 --kernels off"
_SEARCH = f"{_DATA} --num-epochs 1 --draw-every 0 --operations none,skip_connect --nodes 1 --kernels off"
_CELLS = f"{_SEARCH} --channels 4 --layers 3 --attentions se"
#: a run of the scenes that lie in the room
DETECTOR = (
    "--data-dir scenes --model mask_rcnn_fpn_resnet18_v1b --model-options widths=[4,4,8,8] fpn_channels=4 box_width=8 "
    "mask_widths=[4] anchor_sizes=[8,16,32,64,96] --train-count 2 --val-count 2 --min-size 40 --max-size 64 -b 1 -j 0 "
    "--num-epochs 1 --roi-samples 8 --rpn-samples 16 --pre-nms 20 --post-nms 20 --test-pre-nms 20 --test-post-nms 10 "
    "--kernels off"
)
_SUPERNET = f"{_NETWORK} --attention se --hold-out 1"


def of_module(name, module):
    """The function that makes the parser of `gluon-attn NAME`."""

    def make():
        parser = Parser(prog=f"gluon-attn {name}")
        module.add_arguments(parser)
        return parser

    return make


def _plain(name, module, small, lines):
    return Command((name,), of_module(name, module), small, lines)


COMMANDS = {
    "train_cifar.py": Command((), lambda: script_parser("train_cifar.py"), _NETWORK, 36),
    "train_imagenet.py": Command((), lambda: script_parser("train_imagenet.py"), _NETWORK, 24),
    "train_coco.py": Command((), lambda: script_parser("train_coco.py"), DETECTOR, 20, _OF_DETECTORS),
    "train": Command(("train",), lambda: script_parser("gluon-attn train"), _NETWORK, 32),
    "att-darts": Command(("search", "att-darts"), lambda: search_parser("att-darts"), _CELLS, 24),
    "anas": Command(("search", "anas"), lambda: search_parser("anas"), _SEARCH, 16),
    "ean-supernet": Command(("search", "ean-supernet"), lambda: search_parser("ean-supernet"), _SUPERNET, 20),
    "ean": Command(("search", "ean"), lambda: search_parser("ean"), "--supernet supernet --steps 1 -j 0", 18),
    "ean --all": Command(("search", "ean", "--all"), lambda: search_parser("ean --all"), f"{_SUPERNET} --steps 1", 3),
    "cost": _plain("cost", cost, "cifar_resnet20_v1", 24),
    "eval": _plain("eval", evaluation, "run", 24),
    "evaluate": _plain("evaluate", evaluation, "run", 4),
    "predict": _plain("predict", predict, "image.png --model run", 20),
    "export": _plain("export", export, "run --output new", 16),
    "convert": _plain("convert", convert, "run/best.params new.safetensors --to timm", 20),
    "report": _plain("report", report, "run", 12),
    "draw": _plain("draw", draw, "Att_DARTS", 10),
    "data": _plain("data", data, "pack photos --output new", 14),
    "bench": _plain("bench", bench, "run --repeat 1 --warm-up 1 -b 1", 2),
    "demo": _plain("demo", demo, "--output new --num-epochs 1", 4),
    "doctor": _plain("doctor", doctor, "", 1),
    "models": _plain("models", models, "", 4),
    "attentions": _plain("attentions", attentions, "", 3),
    "check": _plain("check", check, "se --channels 8", 4),
    "inspect": _plain("inspect", inspect, "run image.png --output new", 12),
    "compare": Command(("compare",), compare_parser, f"{_NETWORK} --attentions se --seeds 1 --output new", 16),
    "sweep": Command(("sweep",), sweep_parser, f"sweep.yaml {_NETWORK} --output new", 14),
}


def line(name: str, number: int) -> list[str]:
    """The words of a command's line number `number`; every third has only values that fit."""
    command, rng = COMMANDS[name], random.Random(f"{name} {number}")
    actions = [action for action in command.parser()._actions if not LEFT_OUT & set(action.option_strings)]
    flags = [action for action in actions if action.option_strings and action.help != argparse.SUPPRESS]
    odd = number % 3 > 0
    words = command.small.split()
    positional = [action for action in actions if not action.option_strings]
    if odd and positional and rng.random() < 0.4:  # another target
        place = rng.randrange(len(positional)) if len(words) > 1 else 0
        words[place : place + 1] = [value(positional[0], rng, odd, command.names)]
    for _ in range(rng.choice((0, 1, 1, 2, 3) if number else (0,))):
        words += flag(rng.choice(flags), rng, odd, command.names)
    if odd and rng.random() < 0.15:
        words.insert(rng.randrange(len(words) + 1), rng.choice(mistakes(flags)))
    return [*command.words, *words]


def mistakes(flags):
    """Words that no command takes: abbreviations, unknown flags, values too many."""
    longest = [action.option_strings[0] for action in flags if len(action.option_strings[0]) > 6]
    return [word[:-2] for word in longest] + ["--nothing", "extra", "--=", "-", "--no-such=1"]


def flag(action, rng, odd, known=NAMES):
    """A flag with its values, in one of its spellings."""
    name = rng.choice(action.option_strings)
    if action.nargs == 0:
        return [name]
    count = 1
    if action.nargs in ("+", "*"):
        count = rng.choice((1, 1, 2, 3))
    if odd and rng.random() < 0.1:
        count -= 1
    values = [value(action, rng, odd, known) for _ in range(count)]
    if name.startswith("--") and len(values) == 1 and rng.random() < 0.5:
        return [f"{name}={values[0]}"]
    return [name, *values]


def value(action, rng, odd, known_names=NAMES):
    """A value for an action."""
    names = [*action.option_strings, action.dest]
    if odd and rng.random() < 0.4:
        return rng.choice(ODD)
    known = next((known_names[name] for name in names if name in known_names), None)
    if known:
        return rng.choice(known)
    if action.choices or str(action.metavar).startswith("{"):
        return rng.choice(list(action.choices or action.metavar[1:-1].split(",")))
    if action.metavar in PATHS:
        return rng.choice(FILES)
    if action.metavar == "NAME=VALUE":
        return rng.choice(("reduction=4", "x=1", "drop_rate=0.5", "reduction=x", "blocks=1"))
    return rng.choice(SHARES if action.metavar == "X" else NUMBERS)
