"""Options of the searches by gradients: what is chosen from, how the choices move, what a search ends with."""

import dataclasses
from dataclasses import dataclass

from ..utils.errors import UserError
from .base import Config, above, at_least, between, option, rate
from .data import DataConfig
from .distill import DistillConfig
from .optim import OptimConfig
from .train import TrainConfig

#: options of training that would do nothing in a search
_WITHOUT_EFFECT = {
    "data": ("progressive_size", "mixup", "mixup_alpha", "cutmix", "cutmix_alpha", "mixup_off_epoch",
             "label_smoothing"),
    "optim": ("accumulate", "ema", "freeze", "layer_decay", "sync_bn"),
    "train": ("start_epoch", "patience", "evaluate", "benchmark", "data_benchmark", "benchmark_batches", "save_period",
              "save_dir", "save_plot_dir", "summary", "auxiliary_weight", "drop_path_prob"),
}  # fmt: skip
NET_TYPES = {"resnet20": 3, "resnet32": 5, "resnet44": 7, "resnet56": 9, "resnet110": 18}


@dataclass(frozen=True)
class GradientConfig(Config):
    """How the mixing weights move, when they stop, and what becomes of what was found."""

    unrolled: bool = option(False, "gradients of second order: through a virtual step of the weights")
    arch_lr: float = option(
        3e-4, "learning rate of the mixing weights' Adam", flags=("--arch-learning-rate",), check=above(0)
    )
    arch_wd: float = option(
        1e-3, "weight decay of the mixing weights", flags=("--arch-weight-decay",), check=at_least(0)
    )
    arch_clip: float | None = option(None, "largest norm of the mixing weights' gradient", check=above(0))
    arch_warmup: int = option(0, "first epochs in which the mixing weights stay as they are", check=at_least(0))
    train_portion: float = option(
        0.5, "share of the training images that the weights learn from; the mixing weights learn from the others",
        check=between(0.01, 0.99),
    )  # fmt: skip
    dropout_rate: float = option(
        0.0, "dropout behind skip connections at the start; it falls by exp(-0.19) an epoch", check=rate
    )
    skip_limit: int | None = option(
        None, "most skip connections of a found normal cell or attention; the weakest give way", check=at_least(0)
    )
    stop_skips: int | None = option(
        None, "stop once so many skip connections would be chosen (DARTS+: 2)", check=at_least(1)
    )
    stop_stable: int | None = option(
        None, "stop once so many epochs have chosen the same (DARTS+: 10)", check=at_least(1)
    )
    draw_every: int = option(
        10, "epochs between pictures of the cells, which need Graphviz; 0: none", check=at_least(0)
    )
    seeds: tuple[int, ...] | None = option(
        None, "several searches, one a seed, such as 1,2,3, and a table of them", check=between(0, 2**31 - 1)
    )
    pick_by: str = option(
        "score", "the best of --seeds by the search's validation accuracy, or by a short training of each",
        choices=("score", "retrain"),
    )  # fmt: skip
    retrain_epochs: int = option(10, "length of that training, and of those of --random-search", check=at_least(1))
    random_search: bool = option(
        False, "the baseline: choices by chance, each trained shortly, for as many multiply-adds as a search"
    )
    dry_run: bool = option(False, "only estimate time and memory; no run folder is made")
    note: str | None = option(None, "a word for the name of the run folder")
    cifar100: bool = option(False, "the same as --dataset cifar100")


@dataclass(frozen=True)
class CellSearchConfig(Config):
    """Att-DARTS's space and network."""

    location: str = option(
        "after_every", "where attentions are chosen: after_every operation, at the end of a cell ...",
        choices=("after_every", "end", "after_every_and_end", "mixed_with_operation", "double_mixed", "no_attention"),
    )  # fmt: skip
    attentions: tuple[str, ...] = option(
        (), "attentions to choose from besides none at all; default: Att-DARTS's five", metavar="NAME,NAME"
    )
    operations: tuple[str, ...] = option((), "operations to choose from; default: DARTS's eight", metavar="NAME,NAME")
    nodes: int = option(4, "nodes of a cell", check=at_least(1))
    channels: int = option(16, "channels of the nodes in the first cells", flags=("--init-ch",), check=at_least(1))
    layers: int = option(8, "cells", check=at_least(3))
    partial_channels: int = option(
        1, "only one channel in so many goes through the choices (PC-DARTS: 4)", check=at_least(1)
    )
    variant: str = option(
        "paper", "reference: as the published code, whose virtual step and clipping take the mixing weights too",
        choices=("paper", "reference"),
    )  # fmt: skip


@dataclass(frozen=True)
class AttentionSearchConfig(Config):
    """ANAS's space and network."""

    net_type: str = option("resnet20", "the ResNet whose blocks end in the attention", choices=tuple(NET_TYPES))
    operations: tuple[str, ...] = option((), "operations to choose from; default: ANAS's nine", metavar="NAME,NAME")
    nodes: int = option(3, "nodes of the attention", check=at_least(1))


class _Search(Config):
    """What both searches check, and what the training loop asks of options."""

    def __post_init__(self):
        super().__post_init__()
        for group, names in _WITHOUT_EFFECT.items():
            values = getattr(self, group)
            for field in dataclasses.fields(values):
                if field.name in names and getattr(values, field.name) != field.default:
                    raise UserError(f"option {field.name} has no effect in a search: leave it out")
        if self.train.dtype != "float32":
            raise UserError("a search computes in float32: leave --dtype out")
        if self.optim.optimizer != "sgd":
            raise UserError("the virtual step of a search is one of SGD: leave --optimizer out")
        if self.data.dataset.startswith("imagenet"):
            raise UserError("a search is on small images: --dataset digits, cifar10, cifar100 or synthetic")
        if self.search.arch_warmup >= self.train.num_epochs:
            raise UserError(f"--arch-warmup {self.search.arch_warmup} leaves nothing of {self.train.num_epochs} epochs")
        if self.search.seeds and self.search.random_search:
            raise UserError("--random-search has one --seed: drop --seeds")
        if self.search.cifar100:  # one spelling in config.yaml
            object.__setattr__(self, "data", self.data.replace(dataset="cifar100"))
            object.__setattr__(self, "search", self.search.replace(cifar100=False))

    #: there is no teacher
    distill = DistillConfig()

    @property
    def name_parts(self):
        """What its run folder is called after unless told otherwise."""
        random = "random" if self.search.random_search else None
        return self.kind, self.data.dataset, self.search.note, random


@dataclass(frozen=True)
class AttDartsConfig(_Search):
    """All options of `search.py att-darts`."""

    data: DataConfig = option(DataConfig(), "the data")
    space: CellSearchConfig = option(CellSearchConfig(), "the space and the network")
    search: GradientConfig = option(GradientConfig(), "the search")
    optim: OptimConfig = option(OptimConfig(optimizer="sgd"), "the optimizer of the weights")
    train: TrainConfig = option(TrainConfig(), "the run")

    kind = "att-darts"

    @property
    def variant(self):
        """Whose rules hold, the paper's or the published code's."""
        return self.space.variant


@dataclass(frozen=True)
class AnasConfig(_Search):
    """All options of `search.py anas`."""

    data: DataConfig = option(DataConfig(), "the data")
    space: AttentionSearchConfig = option(AttentionSearchConfig(), "the space and the network")
    search: GradientConfig = option(GradientConfig(), "the search")
    optim: OptimConfig = option(OptimConfig(optimizer="sgd"), "the optimizer of the weights")
    train: TrainConfig = option(TrainConfig(), "the run")

    kind, variant = "anas", "paper"
