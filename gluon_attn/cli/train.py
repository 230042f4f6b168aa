"""The training scripts: each is the same run with other defaults."""

from ..config.files import merge
from ..config.train import RunConfig
from ..runs import throughput
from ..runs.options import resolve
from ..runs.reference_defaults import settings
from ..runs.scheme_file import with_scheme_file
from ..runs.train import evaluate, run
from ..utils import log
from .flags import make_parser, parse, refuse
from .guard import guarded

#: what train_imagenet.py starts from: open-atac's script
IMAGENET = {
    "data": {"dataset": "imagenet_folder", "batch_size": 32},
    "model": {"model": "atac_resnet50_v1b"},
    "optim": {"lr_decay_epoch": [40, 60]},
    "train": {"num_epochs": 3},
}
_LAUNCHER = "start several processes with horovodrun -np N"
#: flags of GluonCV's, ECA-Net's and EAN's scripts that mean nothing here: flag -> (number of values, what to do)
ELSEWHERE = {
    "--eval-frequency": (1, "the network is tested after every epoch"),
    "--auto-aug": (0, "give --rand-augment 2,9"),
    "--batch-norm": (0, "there is no VGG here, and all networks have norms"),
    "--use-avd": (0, "it belongs to ResNeSt: --attention split has what is here of it"),
    "--dropblock-prob": (1, "no network here has DropBlock: --drop-rate drops single values"),
    "--checkpoint-path": (1, "--resume auto goes on with a run"),
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


#: script -> (what it does, what it starts from)
SCRIPTS = {
    "train_cifar.py": ("Train a network on small images.", {}),
    "train_imagenet.py": ("Train a network on photographs.", IMAGENET),
}


def train_cifar(argv=None):
    """Entry point of train_cifar.py; returns the exit code."""
    return guarded(lambda argv: _train("train_cifar.py", argv), argv)


def train_imagenet(argv=None):
    """Entry point of train_imagenet.py; returns the exit code."""
    return guarded(lambda argv: _train("train_imagenet.py", argv), argv)


def script_parser(script):
    """The parser of one of `SCRIPTS`, for `flags.parse`."""
    description, defaults = SCRIPTS[script]
    parser = make_parser(script, description, RunConfig, defaults)
    if defaults is IMAGENET:
        parser.usage = f"{script} [options] [DATA_DIR]"
        parser.add_argument("data.data_dir", nargs="?", metavar="DATA_DIR", help="the same as --data-dir")
    refuse(parser, ELSEWHERE)
    return parser


def _train(script, argv):
    (given, recipe), defaults = with_scheme_file(*parse(script_parser(script), argv)), SCRIPTS[script][1]
    defaults = merge(defaults, settings(script, resolve(RunConfig, defaults, recipe, given)))
    config = resolve(RunConfig, defaults, recipe, given)
    if config.train.evaluate:
        evaluate(config)
        return 0
    if config.train.benchmark or config.train.data_benchmark:
        throughput.measure(config)
        return 0
    result = run(given, recipe, defaults)
    best = result.best
    log.get_logger().info(
        "best test accuracy %.4f in epoch %d; run folder %s", best["val_accuracy"], best["epoch"], result.folder
    )
    return 0
