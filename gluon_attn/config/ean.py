"""Options of EAN: training of the supernet, controller, reward of a scheme, and the pipeline of all steps."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from ..utils.errors import UserError
from .base import Config, above, at_least, between, option, rate
from .data import DataConfig
from .model import ModelConfig
from .optim import OptimConfig
from .train import RunConfig, TrainConfig, data_and_network

BASELINES = ("random", "evolution")
#: group -> options that a search uses, in the groups that it shares with training
_SEARCHED = {
    "data": {
        "dataset", "data_dir", "use_rec", "rec_train", "rec_train_idx", "rec_val", "rec_val_idx", "max_bad_images",
        "batch_size", "num_workers", "input_size", "classes", "train_images", "val_images", "val_share",
        "val_seed", "val_list", "hold_out", "normalization", "crop_ratio",
    },
    "model": {
        "model", "model_options", "attention", "attention_options", "use_se", "use_sk", "r", "norm", "use_gn",
    },
    "train": {
        "gpus", "num_gpus", "no_cuda", "seed", "run_dir", "resume", "log_interval", "logging_file",
    },
}  # fmt: skip
#: group -> options of a training run that have no effect on a supernet
_NOT_OF_A_SUPERNET = {
    "model": {"plan", "scheme", "config_codes", "shared", "attention_start"},
    "train": {"evaluate", "benchmark", "data_benchmark", "benchmark_batches"},
}


@dataclass(frozen=True)
class EanConfig(Config):
    """The controller and its policy gradient."""

    steps: int = option(300, "steps of the search", check=at_least(1))
    validate_size: int = option(2, "further schemes evaluated per step, besides the first", check=at_least(0))
    controller_lr: float = option(0.05, "learning rate of the controller and of the RND network", check=above(0))
    temperature: float = option(5.0, "divides the logits of the controller", check=above(0))
    baseline_decay: float = option(0.95, "decay of the moving average of the reward, the baseline", check=rate)
    bonus: float = option(1.0, "weight of the RND bonus for new schemes; 0: none", check=at_least(0))
    buffer: int = option(30, "size of the replay buffer in steps", check=at_least(1))
    replay_from: int = option(10, "first step, counted from 0, after which a step is replayed", check=at_least(0))
    replay_weight: float = option(0.1, "weight of the loss of a replayed step; 0: none", check=at_least(0))
    ratio_clip: float = option(
        0.1, "clip the importance ratio of a replayed step to this distance from 1", check=between(0, 1)
    )
    variant: str = option("paper", "paper, or reference: as the published code", choices=("paper", "reference"))


@dataclass(frozen=True)
class ScoreConfig(Config):
    """Evaluation and reward of schemes."""

    supernet: str | None = option(
        None, "run folder of search.py ean-supernet, or a parameter file with the options of its data and network",
        metavar="RUN", path=True,
    )  # fmt: skip
    images: int | None = option(None, "evaluate schemes on N test images, drawn once (default: all)", check=at_least(1))
    reward_for: str = option(
        "sparsity", "what the reward adds to the accuracy: the share of modules left out, or of the time saved",
        choices=("sparsity", "latency"),
    )  # fmt: skip
    reward_weight: float = option(2.0, "reward of leaving out all modules, in percent of accuracy", check=at_least(0))
    reward_base: float = option(54.0, "subtracted from all rewards")
    baselines: tuple[str, ...] = option(
        (), "for comparison, searches of as many schemes: random, evolution", choices=BASELINES, several=True,
        metavar="NAME",
    )  # fmt: skip


@dataclass(frozen=True)
class SupernetConfig(RunConfig):
    """All options of the training of a supernet."""

    kind: ClassVar[str] = "ean-supernet"

    @property
    def name_parts(self) -> tuple[str | None, ...]:
        """Parts of the default name of the run folder; None is left out."""
        return "supernet", *data_and_network(self)

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse(self, "the training of a supernet", supernet_option)


@dataclass(frozen=True)
class EanSearchConfig(Config):
    """All options of the search for a scheme."""

    kind: ClassVar[str] = "ean"

    @property
    def name_parts(self) -> tuple[str | None, ...]:
        """Parts of the default name of the run folder; None is left out."""
        return "ean", *data_and_network(self)

    data: DataConfig = option(DataConfig(), "the data")
    model: ModelConfig = option(ModelConfig(), "the network")
    score: ScoreConfig = option(ScoreConfig(), "evaluation and reward of schemes")
    ean: EanConfig = option(EanConfig(), "the controller")
    train: TrainConfig = option(TrainConfig(), "the run")

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse(self, "a search", search_option)


@dataclass(frozen=True)
class PipelineConfig(Config):
    """Supernet, search and training of the network that was found, one after the other."""

    supernet_epochs: int | None = option(
        None,
        "epochs of the supernet (default: --num-epochs, which is for the network that was found)",
        check=at_least(1),
    )
    train_scheme: str = option(
        "ean", "which scheme is trained from scratch: ean, the one that the search found, or best, the one with the "
        "highest reward, its baselines and no and all blocks connected among them", choices=("ean", "best"),
    )  # fmt: skip


@dataclass(frozen=True)
class EanPipelineConfig(Config):
    """All options of the pipeline."""

    @property
    def name_parts(self) -> tuple[str | None, ...]:
        """Parts of the default name of the run folder; None is left out."""
        return "ean_all", *data_and_network(self)

    chain: PipelineConfig = option(PipelineConfig(), "the pipeline")
    data: DataConfig = option(DataConfig(), "the data")
    model: ModelConfig = option(ModelConfig(), "the network")
    optim: OptimConfig = option(OptimConfig(), "the optimizer")
    score: ScoreConfig = option(ScoreConfig(), "evaluation and reward of schemes")
    ean: EanConfig = option(EanConfig(), "the controller")
    train: TrainConfig = option(TrainConfig(), "the run")

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse(self, "the pipeline of all steps", chained_option)


def supernet_option(group: str, name: str) -> bool:
    """Whether the training of a supernet uses option `name` of the config group `group`."""
    return name not in _NOT_OF_A_SUPERNET.get(group, ())


def search_option(group: str, name: str) -> bool:
    """Whether a search uses option `name` of the config group `group`."""
    return group not in _SEARCHED or name in _SEARCHED[group]


def chained_option(group: str, name: str) -> bool:
    """Whether the pipeline uses option `name` of the config group `group`."""
    unused = {
        "model": {"plan", "scheme", "config_codes", "shared", "pretrained", "use_pretrained", "attention_start"},
        "optim": {"freeze_epochs"},
        "score": {"supernet"},
        "train": {"evaluate", "benchmark", "data_benchmark", "benchmark_batches", "start_epoch", "save_dir",
                  "save_plot_dir"},
    }  # fmt: skip
    return name not in unused.get(group, ())


def _refuse(config: Config, what: str, used: Callable[[str, str], bool]) -> None:
    """Raise a `UserError` for an option that was set although `what` does not use it."""
    for group in dataclasses.fields(config):
        values = getattr(config, group.name)
        for name, default in type(values)().to_dict().items():
            if not used(group.name, name) and values.to_dict()[name] != default:
                raise UserError(f"option {name} has no effect on {what}: leave it out")
