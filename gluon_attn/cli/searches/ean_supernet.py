"""`search.py ean-supernet`: trains the network whose blocks are connected to shared attention by chance."""

from ...config.ean import SupernetConfig, supernet_option
from ...runs import train
from ...utils import log
from ..flags import make_parser, parse, refuse
from ..train import ELSEWHERE

#: what the command starts from: the script of EAN's authors
DEFAULTS = {
    "data": {"dataset": "imagenet_folder", "batch_size": 256, "hold_out": 100, "color_jitter": 0, "pca_noise": 0},
    "model": {"model": "sge_fbresnet50"},
    "optim": {"optimizer": "sgd", "lr_decay_period": 40},
    "train": {"num_epochs": 50},
}


def make_supernet_parser():
    """The parser of the command, for `flags.parse`."""
    parser = make_parser(
        "search.py ean-supernet", "Train a supernet of connections to shared attention (EAN, step 1).", SupernetConfig,
        DEFAULTS, supernet_option,
    )  # fmt: skip
    refuse(parser, ELSEWHERE)
    return parser


def main(argv):
    """Train as the flags say; returns the exit code."""
    given, recipe = parse(make_supernet_parser(), argv)
    result = train_supernet(given, recipe, DEFAULTS)
    log.get_logger().info(
        "test accuracy without attention %.4f; to go on: search.py ean --supernet %s",
        result.history[-1]["val_accuracy"], result.folder,
    )  # fmt: skip
    return 0


def train_supernet(given, recipe=None, defaults=None):
    """The `training.Result` of a supernet's training."""
    from ...search.ean.supernet import build_supernet

    return train.run(given, recipe, defaults, SupernetConfig, build_supernet)
