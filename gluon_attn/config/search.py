"""Options of gradient searches (DARTS and its relatives): search space, architecture parameters, end of the search."""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

from ..utils.errors import UserError
from .base import Config, above, at_least, between, option, rate
from .data import DataConfig
from .distill import DistillConfig
from .optim import OptimConfig
from .train import TrainConfig

#: options of training that have no effect in a search
_WITHOUT_EFFECT = {
    "data": ("progressive_size", "aug_repeats", "mixup", "mixup_alpha", "cutmix", "cutmix_alpha", "mixup_off_epoch",
             "label_smoothing"),
    "optim": ("accumulate", "ema", "ema_warmup", "freeze", "freeze_epochs", "layer_decay", "sync_bn"),
    "train": ("start_epoch", "patience", "evaluate", "benchmark", "data_benchmark", "benchmark_batches", "save_period",
              "save_dir", "save_plot_dir", "summary", "auxiliary_weight", "drop_path_prob",
              "bce_loss", "bce_sum", "bce_target_threshold"),
}  # fmt: skip
NET_TYPES = {"resnet20": 3, "resnet32": 5, "resnet44": 7, "resnet56": 9, "resnet110": 18}


@dataclass(frozen=True)
class GradientConfig(Config):
    """Optimization of the architecture parameters (alphas), early stopping, and what is done with the genotype."""

    unrolled: bool = option(False, "second-order gradients: through a virtual step of the weights")
    arch_lr: float = option(
        3e-4, "learning rate of Adam for the architecture parameters", flags=("--arch-learning-rate",), check=above(0)
    )
    arch_wd: float = option(
        1e-3, "weight decay of the architecture parameters", flags=("--arch-weight-decay",), check=at_least(0)
    )
    arch_clip: float | None = option(
        None, "clip the norm of the gradient of the architecture parameters to this", check=above(0)
    )
    arch_warmup: int = option(0, "first epochs in which the architecture parameters are not trained", check=at_least(0))
    train_portion: float = option(
        0.5, "share of the training images for the weights; the others are for the architecture parameters",
        check=between(0.01, 0.99),
    )  # fmt: skip
    dropout_rate: float = option(
        0.0, "initial dropout after skip connections; multiplied by exp(-0.19) per epoch", check=rate
    )
    skip_limit: int | None = option(
        None,
        "maximum number of skip connections in a normal cell or attention; the weakest are replaced",
        check=at_least(0),
    )
    stop_skips: int | None = option(
        None, "stop as soon as N skip connections would be chosen (DARTS+: 2)", check=at_least(1)
    )
    stop_stable: int | None = option(
        None, "stop as soon as the genotype has not changed for N epochs (DARTS+: 10)", check=at_least(1)
    )
    draw_every: int = option(
        10, "epochs between drawings of the cells, which need Graphviz; 0: none", check=at_least(0)
    )
    seeds: tuple[int, ...] | None = option(
        None, "several searches, one per seed, such as 1,2,3, and a table of them", check=between(0, 2**31 - 1)
    )
    pick_by: str = option(
        "score", "pick the best of --seeds by the validation accuracy of the search, or of a short training of each",
        choices=("score", "retrain"),
    )  # fmt: skip
    retrain_epochs: int = option(
        10, "epochs of that training, and of the trainings of --random-search", check=at_least(1)
    )
    random_search: bool = option(
        False, "random search as a baseline: train genotypes drawn at random, with as many MACs as a search"
    )
    dry_run: bool = option(False, "only estimate time and memory, without a run folder")
    note: str | None = option(None, "a word in the name of the run folder")
    cifar100: bool = option(False, "the same as --dataset cifar100")


@dataclass(frozen=True)
class CellSearchConfig(Config):
    """Search space and supernet of Att-DARTS."""

    location: str = option(
        "after_every", "where attentions are searched: after_every operation, at the end of a cell ...",
        choices=("after_every", "end", "after_every_and_end", "mixed_with_operation", "double_mixed", "no_attention"),
    )  # fmt: skip
    attentions: tuple[str, ...] = option(
        (), "candidate attentions besides none (default: the five of Att-DARTS)", metavar="NAME,NAME"
    )
    operations: tuple[str, ...] = option((), "candidate operations (default: the eight of DARTS)", metavar="NAME,NAME")
    nodes: int = option(4, "nodes per cell", check=at_least(1))
    channels: int = option(16, "channels of the nodes in the first cells", flags=("--init-ch",), check=at_least(1))
    layers: int = option(8, "number of cells", check=at_least(3))
    partial_channels: int = option(
        1, "only 1/N of the channels go through the candidate operations (PC-DARTS: 4)", check=at_least(1)
    )
    variant: str = option(
        "paper", "reference: as the published code, whose virtual step and clipping include the alphas",
        choices=("paper", "reference"),
    )  # fmt: skip


@dataclass(frozen=True)
class AttentionSearchConfig(Config):
    """Search space and supernet of ANAS."""

    net_type: str = option("resnet20", "the ResNet whose blocks end with the attention", choices=tuple(NET_TYPES))
    operations: tuple[str, ...] = option((), "candidate operations (default: the nine of ANAS)", metavar="NAME,NAME")
    nodes: int = option(3, "nodes per attention", check=at_least(1))


class _Search(Config):
    """What both searches have in common."""

    kind: ClassVar[str]  # a key of `METHODS`, and of `run_kind.TITLES`
    data: DataConfig
    search: GradientConfig
    optim: OptimConfig
    train: TrainConfig

    def __post_init__(self) -> None:
        super().__post_init__()
        for group, names in _WITHOUT_EFFECT.items():
            values = getattr(self, group)
            for field in dataclasses.fields(values):
                if field.name in names and getattr(values, field.name) != field.default:
                    raise UserError(f"option {field.name} has no effect in a search: leave it out")
        if self.train.dtype != "float32":
            raise UserError("a search computes in float32: leave out option dtype")
        if self.optim.optimizer != "sgd":
            raise UserError("the virtual step of a search is one of SGD: leave out option optimizer")
        if self.data.dataset.startswith("imagenet"):
            raise UserError(
                "a search is on small images: option dataset must be digits, cifar10, cifar100 or synthetic"
            )
        if self.search.arch_warmup >= self.train.num_epochs:
            raise UserError(
                f"option arch_warmup {self.search.arch_warmup} leaves nothing of {self.train.num_epochs} epochs"
            )
        if self.search.seeds and self.search.random_search:
            raise UserError("option random_search has one seed: leave out option seeds")
        if self.search.cifar100:  # one spelling in config.yaml
            object.__setattr__(self, "data", self.data.replace(dataset="cifar100"))
            object.__setattr__(self, "search", self.search.replace(cifar100=False))

    #: the training loop asks for it; a search has no teacher
    distill: ClassVar[DistillConfig] = DistillConfig()

    @property
    def name_parts(self) -> tuple[str | None, ...]:
        """Parts of the default name of the run folder; None is left out."""
        random = "random" if self.search.random_search else None
        return self.kind, self.data.dataset, self.search.note, random


@dataclass(frozen=True)
class AttDartsConfig(_Search):
    """All options of `search.py att-darts`."""

    data: DataConfig = option(DataConfig(), "the data")
    space: CellSearchConfig = option(CellSearchConfig(), "the search space and the supernet")
    search: GradientConfig = option(GradientConfig(), "the search")
    optim: OptimConfig = option(OptimConfig(optimizer="sgd"), "the optimizer of the weights")
    train: TrainConfig = option(TrainConfig(), "the run")

    kind: ClassVar[str] = "att-darts"

    @property
    def variant(self) -> str:
        """ "paper", or "reference" for the rules of the published code."""
        return self.space.variant


@dataclass(frozen=True)
class AnasConfig(_Search):
    """All options of `search.py anas`."""

    data: DataConfig = option(DataConfig(), "the data")
    space: AttentionSearchConfig = option(AttentionSearchConfig(), "the search space and the supernet")
    search: GradientConfig = option(GradientConfig(), "the search")
    optim: OptimConfig = option(OptimConfig(optimizer="sgd"), "the optimizer of the weights")
    train: TrainConfig = option(TrainConfig(), "the run")

    kind: ClassVar[str] = "anas"
    variant: ClassVar[str] = "paper"
