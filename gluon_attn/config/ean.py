"""Options of EAN's search: the supernet's training, the controller, what a scheme is worth, the whole way."""

import dataclasses
from dataclasses import dataclass

from ..utils.errors import UserError
from .base import Config, above, at_least, between, option, rate
from .data import DataConfig
from .model import ModelConfig
from .optim import OptimConfig
from .train import RunConfig, TrainConfig, data_and_network

BASELINES = ("random", "evolution")
#: group -> options that a search has a use for, of groups that it shares with training
_SEARCHED = {
    "data": {
        "dataset", "data_dir", "use_rec", "rec_train", "rec_train_idx", "rec_val", "rec_val_idx", "max_bad_images",
        "batch_size", "num_workers", "input_size", "classes", "train_images", "val_images", "hold_out",
        "normalization", "crop_ratio",
    },
    "model": {
        "model", "model_options", "attention", "attention_options", "use_se", "use_sk", "r", "norm", "use_gn",
    },
    "train": {
        "gpus", "num_gpus", "no_cuda", "seed", "run_dir", "resume", "log_interval", "logging_file",
    },
}  # fmt: skip
#: options of a training run that say nothing for a supernet
_NOT_OF_A_SUPERNET = {
    "model": {"plan", "scheme", "config_codes", "shared"},
    "train": {"evaluate", "benchmark", "data_benchmark", "benchmark_batches"},
}


@dataclass(frozen=True)
class EanConfig(Config):
    """Options of the controller."""

    steps: int = option(300, "steps of the controller", check=at_least(1))
    validate_size: int = option(2, "schemes tried a step besides the first", check=at_least(0))
    controller_lr: float = option(0.05, "learning rate of the controller and of the bonus network", check=above(0))
    temperature: float = option(5.0, "by which the controller's outputs are divided", check=above(0))
    baseline_decay: float = option(0.95, "share of the moving average reward that a step keeps", check=rate)
    bonus: float = option(1.0, "weight of the bonus for new schemes; 0: none", check=at_least(0))
    buffer: int = option(30, "steps that are kept to learn from again", check=at_least(1))
    replay_from: int = option(10, "the first step, from 0, after which an old one is learned from", check=at_least(0))
    replay_weight: float = option(0.1, "weight of the loss of an old step; 0: none", check=at_least(0))
    ratio_clip: float = option(0.1, "how far an old step's importance ratio may be from 1", check=between(0, 1))
    variant: str = option("paper", "paper, or reference: what the authors' code does", choices=("paper", "reference"))


@dataclass(frozen=True)
class ScoreConfig(Config):
    """What schemes are tried on, and what they are worth."""

    supernet: str | None = option(
        None, "run folder of search.py ean-supernet, or a parameter file beside options of its data and network",
        metavar="RUN",
    )  # fmt: skip
    images: int | None = option(
        None, "try schemes on so many test images, drawn once (default: all)", check=at_least(1)
    )
    reward_for: str = option(
        "sparsity", "what the reward adds to the accuracy: the share of blocks left out, or of the time they cost",
        choices=("sparsity", "latency"),
    )  # fmt: skip
    reward_weight: float = option(2.0, "percent of accuracy that leaving all out is worth", check=at_least(0))
    reward_base: float = option(54.0, "taken from all rewards")
    baselines: tuple[str, ...] = option(
        (), "searches to compare with, on as many schemes: random, evolution", choices=BASELINES, several=True,
        metavar="NAME",
    )  # fmt: skip


@dataclass(frozen=True)
class SupernetConfig(RunConfig):
    """All options of a supernet's training."""

    name_parts = property(lambda self: ("supernet", *data_and_network(self)))

    def __post_init__(self):
        super().__post_init__()
        _refuse(self, "the training of a supernet", supernet_option)


@dataclass(frozen=True)
class EanSearchConfig(Config):
    """All options of a search for a scheme."""

    name_parts = property(lambda self: ("ean", *data_and_network(self)))

    data: DataConfig = option(DataConfig(), "the data")
    model: ModelConfig = option(ModelConfig(), "the network")
    score: ScoreConfig = option(ScoreConfig(), "what schemes are tried on and worth")
    ean: EanConfig = option(EanConfig(), "the controller")
    train: TrainConfig = option(TrainConfig(), "the run")

    def __post_init__(self):
        super().__post_init__()
        _refuse(self, "a search", search_option)


@dataclass(frozen=True)
class ChainConfig(Config):
    """Supernet, search and the training of what it found, one after the other."""

    supernet_epochs: int | None = option(
        None, "epochs of the supernet (default: --num-epochs, which is for the found network)", check=at_least(1)
    )


@dataclass(frozen=True)
class ChainedConfig(Config):
    """All options of the whole way."""

    name_parts = property(lambda self: ("ean_all", *data_and_network(self)))

    chain: ChainConfig = option(ChainConfig(), "the whole way")
    data: DataConfig = option(DataConfig(), "the data")
    model: ModelConfig = option(ModelConfig(), "the network")
    optim: OptimConfig = option(OptimConfig(), "the optimizer")
    score: ScoreConfig = option(ScoreConfig(), "what schemes are tried on and worth")
    ean: EanConfig = option(EanConfig(), "the controller")
    train: TrainConfig = option(TrainConfig(), "the run")

    def __post_init__(self):
        super().__post_init__()
        _refuse(self, "the whole way", chained_option)


def supernet_option(group, name):
    """Whether the training of a supernet has a use for an option."""
    return name not in _NOT_OF_A_SUPERNET.get(group, ())


def search_option(group, name):
    """Whether a search has a use for an option."""
    return group not in _SEARCHED or name in _SEARCHED[group]


def chained_option(group, name):
    """Whether the whole way has a use for an option."""
    elsewhere = {
        "model": {"plan", "scheme", "config_codes", "shared", "pretrained", "use_pretrained"},
        "score": {"supernet"},
        "train": {"evaluate", "benchmark", "data_benchmark", "benchmark_batches", "start_epoch", "save_dir",
                  "save_plot_dir"},
    }  # fmt: skip
    return name not in elsewhere.get(group, ())


def _refuse(config, what, used):
    """`UserError` for an option that was set although `what` has no use for it."""
    for group in dataclasses.fields(config):
        values = getattr(config, group.name)
        for name, usual in type(values)().to_dict().items():
            if not used(group.name, name) and values.to_dict()[name] != usual:
                raise UserError(f"option {name} has no effect on {what}: leave it out")
