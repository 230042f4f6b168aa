"""Options of a run: how long, on what, what is kept; and all groups together."""

from dataclasses import dataclass

from .base import Config, at_least, between, option
from .data import DataConfig
from .model import ModelConfig, OptimConfig


@dataclass(frozen=True)
class TrainConfig(Config):
    """Length, devices and files of a run."""

    num_epochs: int = option(200, "epochs to train", flags=("--epochs",), check=at_least(1))
    mode: str = option("hybrid", "hybrid compiles the network to a graph", choices=("hybrid", "imperative"))
    gpus: tuple[int, ...] | None = option(None, "GPUs by number, such as 0,1", check=at_least(0))
    num_gpus: int = option(0, "take the first so many GPUs", check=at_least(0))
    seed: int = option(1, "everything random follows from it", check=between(0, 2**31 - 1))
    run_dir: str | None = option(None, "folder of the run (default runs/NAME, numbered)", metavar="DIR")
    resume: str | None = option(None, "'auto' goes on from the newest whole checkpoint of the run", metavar="auto")
    keep_checkpoints: int = option(2, "newest checkpoints that are kept", check=at_least(1))
    save_period: int = option(10, "epochs between parameter files in --save-dir; 0: none", check=at_least(0))
    save_dir: str | None = option(None, "folder of those files (default RUN/params)", metavar="DIR")
    save_plot_dir: str | None = option(None, "folder of the curves (default the run folder)", metavar="DIR")
    summary: bool = option(False, "print the layers with shapes and parameters first")
    log_interval: int = option(50, "batches between log lines", check=at_least(1))
    tensorboard: bool = option(False, "write TensorBoard events into the run folder (needs the extra track)")


@dataclass(frozen=True)
class RunConfig(Config):
    """All options of a training run; written to the run folder as config.yaml."""

    data: DataConfig = option(DataConfig(), "the data")
    model: ModelConfig = option(ModelConfig(), "the network")
    optim: OptimConfig = option(OptimConfig(), "the optimizer")
    train: TrainConfig = option(TrainConfig(), "the run")
