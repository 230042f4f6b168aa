"""Options of a run: how long, on what, what is kept; and all groups together."""

from dataclasses import dataclass
from pathlib import Path

from ..utils.errors import UserError
from .base import Config, at_least, between, option, rate
from .data import DataConfig
from .distill import DistillConfig
from .model import ModelConfig
from .optim import OptimConfig


@dataclass(frozen=True)
class TrainConfig(Config):
    """Length, devices and files of a run."""

    num_epochs: int = option(200, "epochs to train", flags=("--epochs",), check=at_least(1))
    start_epoch: int = option(
        0, "epochs that --pretrained has been trained already: counting and schedule go on behind them",
        flags=("--resume-epoch",), check=at_least(0),
    )  # fmt: skip
    auxiliary_weight: float | None = option(
        None, "weight of the auxiliary head's loss, with --auxiliary (default 0.4)", check=at_least(0)
    )
    drop_path_prob: float | None = option(
        None, "drop this share of the paths of a searched network at the end; it climbs from 0 over the epochs",
        check=rate,
    )  # fmt: skip
    mode: str = option(
        "hybrid", "hybrid (or symbolic) compiles the network to a graph", choices=("hybrid", "symbolic", "imperative")
    )
    dtype: str = option("float32", "number type to compute in", choices=("float32", "bfloat16", "float16"))
    kernels: str = option("auto", "compiled operators on a CPU, or off", choices=("auto", "off"))
    patience: int | None = option(None, "stop after so many epochs without a better score", check=at_least(1))
    gpus: tuple[int, ...] | None = option(None, "GPUs by number, such as 0,1", flags=("--gpu",), check=at_least(0))
    num_gpus: int = option(0, "take the first so many GPUs", check=at_least(0))
    no_cuda: bool = option(False, "no GPUs: what holds without --gpus and --num-gpus")
    seed: int = option(1, "everything random follows from it", flags=("--manualSeed",), check=between(0, 2**31 - 1))
    evaluate: bool = option(False, "only test what --pretrained holds; no run folder", flags=("-e",))
    run_dir: str | None = option(
        None, "folder of the run (default runs/NAME, numbered)", flags=("--checkpoint",), metavar="DIR"
    )
    resume: str | None = option(None, "'auto' goes on from the newest whole checkpoint of the run", metavar="auto")
    resume_states: str | None = option(
        None, "optimizer states that MXNet's Trainer.save_states wrote, for --pretrained; needs --trust", metavar="FILE"
    )
    trust: bool = option(False, "open --resume-states although it is a pickle: code in it would run")
    keep_checkpoints: int = option(2, "newest checkpoints that are kept", check=at_least(1))
    save_period: int = option(
        10, "epochs between parameter files in --save-dir; 0: none", flags=("--save-frequency",), check=at_least(0)
    )
    save_dir: str | None = option(None, "folder of those files (default RUN/params)", metavar="DIR")
    save_plot_dir: str | None = option(None, "folder of the curves (default the run folder)", metavar="DIR")
    summary: bool = option(False, "print the layers with shapes and parameters first")
    log_interval: int = option(
        50, "batches between log lines", flags=("--print-freq", "-p", "--report-freq"), check=at_least(1)
    )
    logging_file: str | None = option(None, "a further file for the log, appended to", metavar="FILE")
    tensorboard: bool = option(False, "write TensorBoard events into the run folder (needs the extra track)")
    wandb: bool = option(False, "record the run with Weights & Biases (needs the extra track)")
    project: str | None = option(None, "W&B project (default gluon-attn); a name stands for --wandb, too")
    benchmark: bool = option(False, "only measure training on random numbers in memory: img/s and peak memory")
    data_benchmark: bool = option(False, "only measure the preparation of training images: img/s")
    benchmark_batches: int = option(20, "batches that these two measure", check=at_least(1))

    def __post_init__(self):
        super().__post_init__()
        if self.mode == "symbolic":  # one spelling in config.yaml
            object.__setattr__(self, "mode", "hybrid")
        if self.no_cuda and (self.gpus or self.num_gpus):
            raise UserError("--no-cuda asks for no GPU, --gpus and --num-gpus for some: drop one")
        object.__setattr__(self, "no_cuda", False)
        object.__setattr__(self, "wandb", self.wandb or self.project is not None)
        object.__setattr__(self, "project", self.project or ("gluon-attn" if self.wandb else None))
        if self.benchmark and self.data_benchmark:
            raise UserError("--benchmark and --data-benchmark measure different things: give one")
        if self.resume_states and not self.trust:
            raise UserError(
                f"{self.resume_states} is a pickle, whose code would run: add --trust if you made it yourself"
            )
        if self.trust and not self.resume_states:
            raise UserError("--trust is for --resume-states FILE: leave it out")
        if self.start_epoch >= self.num_epochs:
            raise UserError(f"--start-epoch {self.start_epoch} leaves nothing of --num-epochs {self.num_epochs}")


@dataclass(frozen=True)
class RunConfig(Config):
    """All options of a training run; written to the run folder as config.yaml."""

    data: DataConfig = option(DataConfig(), "the data")
    model: ModelConfig = option(ModelConfig(), "the network")
    optim: OptimConfig = option(OptimConfig(), "the optimizer")
    distill: DistillConfig = option(DistillConfig(), "distillation")
    train: TrainConfig = option(TrainConfig(), "the run")

    @property
    def has_auxiliary(self):
        """Whether training has an auxiliary head."""
        return self.model.auxiliary or bool(self.model.model_options.get("auxiliary"))

    @property
    def name_parts(self):
        """What its run folder is called after unless told otherwise."""
        return data_and_network(self)

    def __post_init__(self):
        super().__post_init__()
        from_weights = self.model.pretrained or self.model.use_pretrained
        for name in ("start_epoch", "evaluate", "resume_states"):
            if getattr(self.train, name) and not from_weights:
                raise UserError(f"--{name.replace('_', '-')} needs the weights: --pretrained FILE or --use-pretrained")
        if self.train.auxiliary_weight is not None and not self.has_auxiliary:
            raise UserError("--auxiliary-weight needs --auxiliary")
        if self.has_auxiliary and self.train.dtype != "float32":
            raise UserError("a network with an auxiliary head trains in float32: drop --dtype")
        sizes = 1 + len(self.data.progressive_size or ())
        if self.train.num_epochs < sizes:
            raise UserError(f"--progressive-size makes {sizes} sizes: --num-epochs must be at least {sizes}")


def data_and_network(config):
    """The words that tell apart runs on several data sets and networks, None among them."""
    model = config.model
    searched = (model.net_type, model.arch_path and Path(model.arch_path).stem)
    named = None if any(searched) and model.model == type(model)().model else model.model
    return config.data.dataset, named, *searched, model.attention, model.act_type
