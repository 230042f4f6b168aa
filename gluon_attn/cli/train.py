"""`gluon-attn train` and the training scripts: the same run with other defaults."""

import argparse
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..config.detect import shown_option
from ..config.files import merge
from ..config.photograph_defaults import OWN, PHOTOGRAPHS
from ..config.photograph_defaults import SCRIPTS as REFERENCES
from ..config.tasks import CLASSIFICATION, DETECTION, TASKS, TrainingTask
from ..runs.options import Options
from ..runs.photograph_defaults import own_options, reference_script, with_photograph_defaults
from ..utils import log
from ..utils.errors import UserError
from .flags import make_parser, parse, refuse
from .guard import guarded
from .parser import Parser
from .spelling import flag
from .starts import STARTS

_LAUNCHER = "start several processes with horovodrun -np N"
#: flags of GluonCV's, ECA-Net's and EAN's scripts that have no effect here: flag -> (number of values, what to do)
FOREIGN_FLAGS = {
    "--eval-frequency": (1, "the network is evaluated after every epoch"),
    "--batch-norm": (0, "there is no VGG here, and all networks have batch norms"),
    "--use-avd": (0, "it belongs to ResNeSt, whose strides are always pooled: --model resnest50"),
    "--checkpoint-path": (1, "--resume auto resumes a run"),
    "--exp-path": (1, "--run-dir names the folder of the run"),
    "--save": (1, "--run-dir names the folder of the run"),
    "--note": (1, "--run-dir names the folder of the run"),
    "--gamma": (1, "--lr-decay with --lr-decay-period 1"),
    "--decay-period": (1, "--lr-decay-period"),
    "--label-smooth": (1, "--label-smoothing spreads 0.1"),
    "--action": (1, "--run-dir names the folder of the run"),
    **dict.fromkeys(("--world-size", "--rank", "--dist-url", "--dist-backend"), (1, _LAUNCHER)),
    "--multiprocessing-distributed": (0, _LAUNCHER),
}


@dataclasses.dataclass(frozen=True)
class Script:
    """A command that trains.

    Attributes:
        description: what it does.
        defaults: options by group, laid over the defaults of its task's options.
        photographs: whether it trains on photographs; None: as the data set says.
        task: what it trains for.
    """

    description: str
    defaults: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    photographs: bool | None = None
    task: TrainingTask = CLASSIFICATION


SCRIPTS = {
    "train_cifar.py": Script("Train a network on small images.", photographs=False),
    "train_imagenet.py": Script(
        "Train a network on photographs.",
        merge(PHOTOGRAPHS, {"data": {"dataset": "imagenet_folder"}}),
        photographs=True,
    ),
    "train_coco.py": Script(
        "Train a detector, Faster or Mask R-CNN, on COCO or on images annotated in its format.",
        DETECTION.defaults,
        task=DETECTION,
    ),
    "gluon-attn train": Script("Train a network on any data set."),
}


def train_cifar(argv: Sequence[str] | None = None) -> int:
    """Entry point of train_cifar.py; returns the exit code."""
    return guarded(lambda argv: run_script("train_cifar.py", argv), argv, "python train_cifar.py")


def train_imagenet(argv: Sequence[str] | None = None) -> int:
    """Entry point of train_imagenet.py; returns the exit code."""
    return guarded(lambda argv: run_script("train_imagenet.py", argv), argv, "python train_imagenet.py")


def train_coco(argv: Sequence[str] | None = None) -> int:
    """Entry point of train_coco.py; returns the exit code."""
    return guarded(lambda argv: run_script("train_coco.py", argv), argv, "python train_coco.py")


#: name of a task -> the script that `gluon-attn train` is for it
OF_TASK = {CLASSIFICATION.name: "gluon-attn train", DETECTION.name: "train_coco.py"}


def main(argv: Sequence[str]) -> int:
    """`gluon-attn train`; returns the exit code."""
    return run_script(*of_task(argv))


def of_task(
    argv: Sequence[str], prog: str = "gluon-attn train", default: TrainingTask = CLASSIFICATION
) -> tuple[str, list[str]]:
    """(script, words without option task) of the words after a command that has option task.

    Args:
        argv: the words.
        prog: the command.
        default: the task where no word names one.
    """
    parser = Parser(prog=prog, add_help=False)
    add_task(parser)
    known, rest = parser.parse_known_args(argv)
    return OF_TASK[known.task or default.name], rest


def add_task(parser: argparse.ArgumentParser) -> None:
    """Add option task."""
    parser.add_argument("--task", choices=TASKS, help="what to train for (default classification)")


def shown_options(name: str) -> Callable[[str, str], bool]:
    """(group, name) -> whether an option of the script `name` has a flag."""
    return shown_option if SCRIPTS[name].task is DETECTION else lambda group, name: True


def script_parser(name: str) -> Parser:
    """The parser of one of `SCRIPTS`."""
    script = SCRIPTS[name]
    parser = make_parser(
        name, script.description, script.task.config, script.defaults, shown_options(name),
        start=STARTS[name.removeprefix("gluon-attn ")],
    )  # fmt: skip
    if name == OF_TASK[CLASSIFICATION.name]:
        add_task(parser)
    if script.photographs:
        parser.usage = f"{name} [options] [DATA_DIR]"
        parser.add_argument("data.data_dir", nargs="?", metavar="DATA_DIR", help="the same as --data-dir")
        parser.add_argument(
            "--defaults", choices=(OWN, *REFERENCES),
            help="whose defaults hold (default: those of the repository whose own flags are given, else own)",
        )  # fmt: skip
        parser.add_argument(
            "--use-avd", action="store_true", default=argparse.SUPPRESS,
            help="strides by average pooling, which ResNeSts always have here",
        )  # fmt: skip
    refuse(
        parser, {flag: what for flag, what in FOREIGN_FLAGS.items() if not script.photographs or flag != "--use-avd"}
    )
    return parser


def script_options(name: str, argv: Sequence[str]) -> Options:
    """The options that the words `argv` give, on the command line of the script `name` of `SCRIPTS`."""
    own: dict[str, Any] = {}
    options = parse(script_parser(name), argv, SCRIPTS[name].task.config, SCRIPTS[name].defaults, own)
    if not SCRIPTS[name].photographs:
        return options
    if "use_avd" in own:
        _check_avd(options)
    found = None if "defaults" in own else reference_script(options)
    if found:
        flags = ", ".join(map(flag, own_options(options, REFERENCES[found])))
        log.get_logger().info("a command of %s (%s): its defaults hold; --defaults %s takes ours", found, flags, OWN)
    return with_photograph_defaults(options, own.get("defaults"))


def _check_avd(options: Options) -> None:
    """`UserError` if a network without split attention is asked for average-pooled strides."""
    from ..attention.factory import ATTENTIONS
    from ..models.factory import model_info

    model = options.config().model
    named = [ATTENTIONS.resolve(model.attention)] if model.attention else model_info(model.model).attentions
    if "split" not in named:
        raise UserError("--use-avd is for ResNeSt: give --model resnest50, or --attention split")


def run_script(name: str, argv: Sequence[str]) -> int:
    """Train, or evaluate or measure where the options ask for that, and print the result.

    Args:
        name: one of `SCRIPTS`.
        argv: the words after the program's name.

    Returns:
        The exit code.
    """
    from ..runs.implied_options import with_implied

    options = with_implied(script_options(name, argv), SCRIPTS[name].photographs)
    config = options.config()
    if config.train.evaluate:
        from ..runs.train import evaluate_pretrained

        scores, backend = evaluate_pretrained(config)
        _print(", ".join(f"{key} {value:.4f}" for key, value in scores.items()), backend)
    elif config.train.benchmark or config.train.data_benchmark:
        from ..runs.throughput import throughput

        _print(*throughput(config))
    else:
        from ..runs.train import train_run

        result = train_run(options)
        log.get_logger().info(
            "best %s %.4f in epoch %d; run folder %s",
            result.score_kind.name, result.score, result.best["epoch"], result.folder,
        )  # fmt: skip
    return 0


def _print(line, backend):
    if not backend.rank:
        print(line)
