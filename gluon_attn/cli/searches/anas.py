"""search.py anas: an attention for the blocks of a ResNet by gradients."""

from ...config.search import AnasConfig
from .gradient import main as search
from .gradient import parser_of

#: ANAS's search_net.py
DEFAULTS = {
    "data": {"batch_size": 128},
    "search": {"arch_clip": 5},
    "optim": {"optimizer": "sgd", "lr": 0.1, "target_lr": 0.0, "momentum": 0.9, "wd": 1e-4, "lr_mode": "cosine",
              "clip_grad": 5},
    "train": {"num_epochs": 50, "seed": 2, "log_interval": 50},
}  # fmt: skip


def make_parser():
    """The parser of its flags."""
    return parser_of(
        "search.py anas", "Search an attention for the blocks of a ResNet by gradients.", AnasConfig, DEFAULTS
    )


def main(argv):
    """Run it; returns the exit code."""
    return search(make_parser(), AnasConfig, DEFAULTS, argv)
