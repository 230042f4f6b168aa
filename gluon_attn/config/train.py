"""Options of a run: length, devices, files; and all groups together."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ..utils.errors import UserError
from .base import Config, at_least, between, option, rate
from .data import DataConfig
from .distill import DistillConfig
from .model import ModelConfig
from .optim import OptimConfig

#: help of option resume
RESUME = (
    "auto resumes from the newest complete checkpoint of the run; or a run folder or its newest checkpoint, such as "
    "epoch_5"
)


@dataclass(frozen=True)
class TrainConfig(Config):
    """Length, devices and files of a run."""

    num_epochs: int = option(200, "epochs to train", flags=("--epochs",), check=at_least(1))
    start_epoch: int = option(
        0, "epochs that --pretrained has been trained for: epoch numbers and schedule continue from there",
        flags=("--resume-epoch",), check=at_least(0),
    )  # fmt: skip
    auxiliary_weight: float | None = option(
        None, "weight of the loss of the auxiliary head, with --auxiliary (default 0.4)", check=at_least(0)
    )
    bce_loss: bool = option(False, "binary cross entropy of each class in place of the cross entropy of all")
    bce_sum: bool = option(False, "sum the binary cross entropy over the classes (default: the mean)")
    bce_target_threshold: float | None = option(
        None, "binary cross entropy: targets above this, of mixup and label smoothing, become 1, the others 0",
        check=between(0, 1), flags=("--bce-target-thresh",),
    )  # fmt: skip
    drop_path_prob: float | None = option(
        None, "final drop-path probability of a cell network; it grows linearly from 0 over the epochs",
        check=rate,
    )  # fmt: skip
    mode: str = option(
        "hybrid", "hybrid (or symbolic) compiles the network to a graph", choices=("hybrid", "symbolic", "imperative")
    )
    dtype: str = option("float32", "dtype to compute in", choices=("float32", "bfloat16", "float16"))
    kernels: str = option("auto", "compiled operators on a CPU, or off", choices=("auto", "off"))
    patience: int | None = option(None, "stop after N epochs without a better score", check=at_least(1))
    gpus: tuple[int, ...] | None = option(None, "GPUs by number, such as 0,1", flags=("--gpu",), check=at_least(0))
    num_gpus: int = option(0, "use the first N GPUs", check=at_least(0))
    no_cuda: bool = option(False, "use no GPU: the default without --gpus and --num-gpus")
    seed: int = option(1, "seed of everything random", flags=("--manualSeed",), check=between(0, 2**31 - 1))
    init: str = option(
        "sequence",
        "how initial weights are drawn from the seed: one tensor after another, or per_tensor, each by its name, so "
        "that networks with another attention start with the same weights everywhere else",
        choices=("sequence", "per_tensor"),
    )
    evaluate: bool = option(False, "only evaluate the parameters of --pretrained, without a run folder", flags=("-e",))
    run_dir: str | None = option(
        None,
        "folder of the run (default runs/NAME, numbered)",
        flags=("--checkpoint",),
        metavar="DIR",
        path=True,
    )
    resume: str | None = option(None, RESUME, metavar="auto|CHECKPOINT", path=True)
    resume_states: str | None = option(
        None,
        "optimizer states for --pretrained, written by MXNet's Trainer.save_states; needs --trust",
        metavar="FILE",
        path=True,
    )
    trust: bool = option(False, "open --resume-states although it is a pickle, whose code is run")
    keep_checkpoints: int = option(2, "number of newest checkpoints to keep", check=at_least(1))
    save_period: int = option(
        10, "epochs between parameter files in --save-dir; 0: none", flags=("--save-frequency",), check=at_least(0)
    )
    save_dir: str | None = option(None, "folder of the parameter files (default RUN/params)", metavar="DIR", path=True)
    save_plot_dir: str | None = option(None, "folder of the plots (default: the run folder)", metavar="DIR", path=True)
    summary: bool = option(False, "print the layers with their shapes and parameters before training")
    log_interval: int = option(
        50, "batches between log lines", flags=("--print-freq", "-p", "--report-freq"), check=at_least(1)
    )
    logging_file: str | None = option(None, "append the log to this file, too", metavar="FILE", path=True)
    tensorboard: bool = option(False, "write TensorBoard events into the run folder (needs the extra track)")
    wandb: bool = option(False, "record the run with Weights & Biases (needs the extra track)")
    project: str | None = option(None, "W&B project (default gluon-attn); implies --wandb")
    benchmark: bool = option(
        False, "only measure training on random images in memory: images per second and peak memory"
    )
    data_benchmark: bool = option(False, "only measure the input pipeline of training: images per second")
    benchmark_batches: int = option(20, "number of batches for --benchmark and --data-benchmark", check=at_least(1))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mode == "symbolic":  # one spelling in config.yaml
            object.__setattr__(self, "mode", "hybrid")
        if self.no_cuda and (self.gpus or self.num_gpus):
            raise UserError("option no_cuda asks for no GPU, option gpus and option num_gpus for some: leave one out")
        object.__setattr__(self, "no_cuda", False)
        object.__setattr__(self, "wandb", self.wandb or self.project is not None)
        object.__setattr__(self, "project", self.project or ("gluon-attn" if self.wandb else None))
        for name in ("bce_sum", "bce_target_threshold"):
            if getattr(self, name) not in (None, False) and not self.bce_loss:
                raise UserError(f"option {name} needs option bce_loss")
        if self.benchmark and self.data_benchmark:
            raise UserError("option benchmark and option data_benchmark measure different things: give one")
        if self.resume_states and not self.trust:
            raise UserError(
                f"{self.resume_states} is a pickle, whose code would run: add option trust if you made it yourself"
            )
        if self.trust and not self.resume_states:
            raise UserError("option trust is for option resume_states: leave it out")
        if self.start_epoch >= self.num_epochs:
            raise UserError(
                f"option start_epoch {self.start_epoch} leaves nothing of option num_epochs {self.num_epochs}"
            )


@dataclass(frozen=True)
class RunConfig(Config):
    """All options of a training run; written to the run folder as config.yaml."""

    data: DataConfig = option(DataConfig(), "the data")
    model: ModelConfig = option(ModelConfig(), "the network")
    optim: OptimConfig = option(OptimConfig(), "the optimizer")
    distill: DistillConfig = option(DistillConfig(), "distillation")
    train: TrainConfig = option(TrainConfig(), "the run")

    kind: ClassVar[str] = "train"

    @property
    def has_auxiliary(self) -> bool:
        """Whether the network is trained with an auxiliary head."""
        return self.model.auxiliary or bool(self.model.model_options.get("auxiliary"))

    @property
    def name_parts(self) -> tuple[str | None, ...]:
        """Parts of the default name of the run folder; None is left out."""
        return data_and_network(self)

    def __post_init__(self) -> None:
        super().__post_init__()
        from_weights = self.model.pretrained or self.model.use_pretrained
        for name in ("start_epoch", "evaluate", "resume_states"):
            if getattr(self.train, name) and not from_weights:
                raise UserError(f"option {name} needs the weights: option pretrained FILE or option use_pretrained")
        check_freeze_epochs(self, bool(from_weights))
        if self.train.auxiliary_weight is not None and not self.has_auxiliary:
            raise UserError("option auxiliary_weight needs option auxiliary")
        if self.train.bce_loss and self.distill.teacher:
            raise UserError("option bce_loss and option teacher are two losses: leave one out")
        sizes = 1 + len(self.data.progressive_size or ())
        if self.train.num_epochs < sizes:
            raise UserError(f"option progressive_size makes {sizes} sizes: option num_epochs must be at least {sizes}")


def check_freeze_epochs(config: Any, from_weights: bool) -> None:
    """Check option freeze_epochs.

    Args:
        config: has the groups `optim` and `train`.
        from_weights: whether the network starts from a parameter file.

    Raises:
        UserError: there are no weights to keep, or no epochs left to train them in.
    """
    frozen = config.optim.freeze_epochs
    if frozen and not from_weights:
        raise UserError("option freeze_epochs freezes pretrained weights: give option pretrained FILE, or leave it out")
    if frozen >= config.train.num_epochs:
        raise UserError(
            f"option freeze_epochs {frozen} leaves no epoch of {config.train.num_epochs} for the backbone: give fewer, "
            "or option freeze to keep it frozen throughout"
        )


def data_and_network(config: Any) -> tuple[str | None, ...]:
    """Parts of a run folder's name for the data set and the network; None is left out.

    Args:
        config: has the groups `data` and `model`.
    """
    model = config.model
    path = model.arch_path or ""
    stem = "genotype" if path.endswith(")") else Path(path).stem  # a genotype as text is no name
    searched = (model.net_type, stem or None)
    named = None if any(searched) and model.model == type(model)().model else model.model
    return config.data.dataset, named, *searched, model.attention, model.act_type
