"""search.py att-darts: a cell with attention by gradients."""

from ...config.search import AttDartsConfig
from .gradient import main as search
from .gradient import parser_of

#: Att-DARTS's train_search.py
DEFAULTS = {
    "data": {"batch_size": 64},
    "optim": {"optimizer": "sgd", "lr": 0.025, "target_lr": 0.001, "momentum": 0.9, "wd": 3e-4, "lr_mode": "cosine",
              "clip_grad": 5},
    "train": {"num_epochs": 50, "seed": 2, "log_interval": 100},
}  # fmt: skip


def make_parser():
    """The parser of its flags."""
    return parser_of("search.py att-darts", "Search a cell with attention by gradients.", AttDartsConfig, DEFAULTS)


def main(argv):
    """Run it; returns the exit code."""
    return search(make_parser(), AttDartsConfig, DEFAULTS, argv)
